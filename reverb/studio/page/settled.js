// Work that waits for a pause in the user's changes, and a sign while any is running.

let works = 0;

function busy(by) {
  works += by;
  document.body.classList.toggle("busy", works > 0);
}

/** Return a function that runs `work` after a pause in its calls, one run at a time, and always after the last call. */
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
