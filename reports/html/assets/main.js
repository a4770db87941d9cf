// What every page does when it is opened.

const THEMES = ["auto", "light", "dark"];

const setUpTheme = () => {
  const chooser = document.getElementById("theme");
  chooser.hidden = false;
  chooser.addEventListener("click", () => {
    const theme = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "auto") + 1) % THEMES.length];
    document.documentElement.dataset.theme = theme;
    chooser.textContent = `Theme: ${theme}`;
  });
};

const setUpCopying = () => {
  for (const one of document.querySelectorAll("button.copy")) {
    one.hidden = false;
    one.addEventListener("click", () => copy(one.parentElement.querySelector("code").textContent, one));
  }
};

// What is drawn by script takes the place of what is there as text, but not on paper.
document.documentElement.classList.add("live");
setUpTheme();
setUpCopying();
