// Figures to turn and hover: plotly is fetched only when one of them nears the view; until then its still stands there.
(() => {
  const library = new URL("vendor/plotly.min.js", document.currentScript.src).href;
  let loading = null;
  const load = () =>
    (loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = library;
      script.onload = resolve;
      script.onerror = () => reject(new Error("plotly could not be loaded"));
      document.head.append(script);
    }));

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--lewm-${name}`).trim();
  const themed = () => ({
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    "font.color": colour("ink"),
    "scene.xaxis.color": colour("ink"),
    "scene.yaxis.color": colour("ink"),
    "scene.zaxis.color": colour("ink"),
  });

  async function bring(figure) {
    try {
      await load();
      const { data, layout } = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
      const stage = document.createElement("div");
      stage.className = "lewm-turnable-stage";
      stage.style.height = `${layout.height || 420}px`;
      figure.append(stage);
      await Plotly.newPlot(stage, data, { ...layout, autosize: true, width: undefined }, { responsive: true, displaylogo: false });
      await Plotly.relayout(stage, themed());
      figure.classList.add("lewm-turning");
      figure.dataset.ready = "true";
      new MutationObserver(() => Plotly.relayout(stage, themed())).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    } catch (error) {
      figure.dataset.reason = error.message; // the still stays
    }
  }

  function watch() {
    const figures = document.querySelectorAll(".lewm-turnable");
    if (!figures.length) return;
    const near = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          if (!entry.isIntersecting) continue;
          near.unobserve(entry.target);
          bring(entry.target);
        }
      },
      { rootMargin: "300px" },
    );
    figures.forEach((figure) => near.observe(figure));
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", watch);
  else watch();
})();
