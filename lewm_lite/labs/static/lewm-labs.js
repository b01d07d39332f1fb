// The small script of every page that holds a lab: it says why a lab is not live, or loads the module that makes it so.
// A classic script, since a page opened from a file may not load modules.
(() => {
  const here = document.currentScript.src;
  const fileWords =
    "Recorded picture: this page was opened as a file, and a browser lets a file load neither modules nor data. " +
    "Serve the book (make book) or read it on the web, and this figure moves under your hand.";

  function note(lab, words) {
    const line = document.createElement("p");
    line.className = "lewm-status";
    line.textContent = words;
    lab.append(line);
  }

  class LewmLab extends HTMLElement {
    async connectedCallback() {
      if (this.mounted) return;
      this.mounted = true;
      this.dataset.engine = "recorded";
      if (location.protocol === "file:") {
        this.dataset.reason = "opened as a file";
        note(this, fileWords);
        return;
      }
      try {
        const module = await import(new URL(`views/${this.dataset.lab}.mjs`, here).href);
        this.lab = await module.default.mount(this, new URL(".", here).href);
        this.disconnectedCallback(); // it may have been taken away meanwhile
      } catch (error) {
        this.dataset.engine = "recorded";
        this.dataset.reason = error.message;
        note(this, `Recorded picture: the live figure could not start (${error.message}).`);
      }
    }

    /** A lab that was taken away stands still for good; one that is only moved is back before this looks. */
    disconnectedCallback() {
      setTimeout(() => this.isConnected || this.lab?.stop());
    }
  }
  customElements.define("lewm-lab", LewmLab);
})();
