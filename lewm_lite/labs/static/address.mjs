// A setting is a link: a lab's controls in the page's address, read and written.
// Strung together with the others into one module for a widget (labs/scripts.py): top-level names are unique.

/** A lab's name in the address: `cloud_flow`, and `cloud_flow-2` for the second such lab of a page. */
function addressName(root) {
  const alike = [...document.querySelectorAll(`lewm-lab[data-lab="${root.dataset.lab}"]`)];
  const place = alike.indexOf(root) + 1;
  return place > 1 ? `${root.dataset.lab}-${place}` : root.dataset.lab;
}

/** Takes the settings that the address holds for this lab, if they are valid; says whether there were any. */
export function readAddress(root, manifest, values) {
  const given = new URLSearchParams(location.hash.slice(1));
  let found = false;
  for (const control of manifest.controls) {
    const text = given.get(`${addressName(root)}.${control.name}`);
    if (text === null) continue;
    const value = parseSetting(control, text);
    if (value === undefined) continue;
    values[control.name] = value;
    found = true;
  }
  return found;
}

function parseSetting(control, text) {
  if (control.kind === "toggle") return text === "1" ? true : text === "0" ? false : undefined;
  if (control.kind === "choice") return control.options.find(([value]) => String(value) === text)?.[0];
  if (control.kind === "button") return /^\d{1,6}$/.test(text) ? Number(text) : undefined;
  const number = Number(text);
  if (!/^[-+.\de]+$/i.test(text) || !(number >= control.low && number <= control.high)) return undefined;
  if (control.kind === "log_range") return number;
  const steps = (number - control.low) / control.step;
  return Math.abs(steps - Math.round(steps)) < 1e-6 ? number : undefined;
}

const addressTimers = new WeakMap();
export function writeAddress(root, manifest, values) {
  const lab = addressName(root);
  clearTimeout(addressTimers.get(root));
  const write = () => {
    const kept = location.hash.slice(1).split("&").filter((part) => part.includes("=") && !part.startsWith(`${lab}.`));
    const own = manifest.controls.map(({ name, kind }) => `${lab}.${name}=${kind === "toggle" ? Number(values[name]) : values[name]}`);
    history.replaceState(null, "", `#${[...kept, ...own].join("&")}`);
  };
  addressTimers.set(root, setTimeout(write, 250));
}
