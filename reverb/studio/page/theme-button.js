// The theme: light or dark, as chosen or as the system.

const THEMES = ["auto", "light", "dark"];

/** @param button cycles through the themes; @param draw called when the colors have changed */
export function listenToTheme(button, draw) {
  const root = document.documentElement;
  const show = () => {
    button.textContent = `Theme: ${root.dataset.theme ?? "auto"}`;
    draw();
  };
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "auto") + 1) % THEMES.length];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    localStorage.setItem("theme", next);
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  show();
}
