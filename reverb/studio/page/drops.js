// Drag and drop of files onto the page, as recordings or rooms.

/** @param veil the drop areas, shown while files are over the page; @param bring called with a file and its kind */
export function listenToDrops(veil, bring) {
  let inside = 0;
  const files = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragenter", (event) => {
    if (!files(event)) return;
    inside += 1;
    veil.hidden = false;
  });
  addEventListener("dragleave", () => {
    inside = Math.max(0, inside - 1);
    veil.hidden = inside === 0;
  });
  addEventListener("dragover", (event) => { if (files(event)) event.preventDefault(); });
  addEventListener("drop", async (event) => {
    event.preventDefault();
    inside = 0;
    veil.hidden = true;
    const kind = event.target.closest?.("[data-kind]")?.dataset.kind ?? (event.target.closest?.("#rooms") ? "rooms" : "recordings");
    for (const file of event.dataTransfer.files) await bring(file, kind);
  });
}
