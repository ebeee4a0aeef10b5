// Work that waits until the user's hand is still, and a sign while any is going on.

let works = 0;

function busy(by) {
  works += by;
  document.body.classList.toggle("busy", works > 0);
}

/** Return a function that runs `work` when calls have ceased, one run at a time, the last call's always. */
export function settled(work, pause, fail) {
  let timer, running = false, again = false;
  const run = async () => {
    if (running) { again = true; return; }
    running = true;
    busy(1);
    try { await work(); } catch (error) { fail(error); }
    running = false;
    busy(-1);
    if (again) { again = false; run(); }
  };
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, pause);
  };
}
