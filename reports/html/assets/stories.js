// The stories of a page, and the links to their steps.

const setUpStories = () => {
  const runs = JSON.parse(document.getElementById("data").textContent);
  const stories = new Map();
  for (const element of document.querySelectorAll(".story")) {
    const story = new StoryView(element, runs[Number(element.dataset.run)]);
    stories.set(story.anchor, story);
  }
  return stories;
};

// Follow a link to a step, such as #web-dep-4/3.
const follow = (stories) => {
  const [anchor, position] = location.hash.slice(1).split("/");
  const chapter = document.getElementById(anchor);
  if (chapter?.matches("details")) chapter.open = true;
  const story = stories.get(anchor);
  if (!story || !/^\d+$/.test(position ?? "")) return;
  story.go(Number(position), { quiet: true });
  story.element.scrollIntoView();
};

const stories = setUpStories();
follow(stories);
addEventListener("hashchange", () => follow(stories));
// Arrows work without a click first where there is but one story to mean.
document.addEventListener("keydown", (event) => {
  if (stories.size !== 1 || event.target !== document.body) return;
  if (["ArrowLeft", "ArrowRight"].includes(event.key)) [...stories.values()][0].key(event);
});
