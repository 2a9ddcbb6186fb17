// Names and roles that the theme leaves out, for people who have the page read to them. A test runs axe on it.

const mendPage = () => {
  for (const bar of document.querySelectorAll("nav.md-code__nav")) bar.setAttribute("role", "presentation");
  for (const cover of document.querySelectorAll("label.md-overlay")) {
    cover.removeAttribute("aria-label");
    cover.setAttribute("aria-hidden", "true");
  }
};

// The search lies in a shadow root that the theme makes after the page has loaded.
const mendSearch = (root) => {
  const field = root.querySelector("input[role=combobox]");
  const list = root.querySelector("ol");
  if (!field || !list) return;
  const dialog = [...root.querySelectorAll("div")].find((each) => each.parentElement?.parentNode === root && each.contains(field));
  dialog?.setAttribute("role", "search");
  dialog?.setAttribute("aria-label", "Search");
  list.id ||= "search-results";
  field.setAttribute("aria-label", "Search");
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-expanded", String(list.childElementCount > 0));
  const [search, filter] = root.querySelectorAll("button");
  search?.setAttribute("aria-label", "Search");
  filter?.setAttribute("aria-label", "Filter the results");
  for (const heading of root.querySelectorAll("h2, h3, h4")) heading.setAttribute("role", "presentation");
  const filters = dialog?.lastElementChild;
  filters?.setAttribute("tabindex", "0");
};

const seen = new WeakSet();
const mend = () => {
  mendPage();
  for (const host of document.body.children) {
    if (host.shadowRoot && !seen.has(host.shadowRoot)) {
      seen.add(host.shadowRoot);
      const root = host.shadowRoot;
      new MutationObserver(() => mendSearch(root)).observe(root, { childList: true, subtree: true });
      mendSearch(root);
    }
  }
};

new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
mend();
