// Requests to the server of this page; errors carry the message of its answer.

export async function call(path, { json, body, method, signal } = {}) {
  const sends = json !== undefined || body !== undefined;
  let answer;
  try {
    answer = await fetch(`/api/${path}`, {
      method: method ?? (sends ? "POST" : "GET"),
      body: json !== undefined ? JSON.stringify(json) : body,
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The studio does not respond. Is `reverb studio` still running?");
  }
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({}));
    throw new Error(said.error ?? `The studio failed (${answer.status}).`);
  }
  return answer;
}

export const ask = async (path, options) => (await call(path, options)).json();

/** Upload a file with progress, which fetch does not report; in tenths, because a screen reader may read it out. */
export function upload(path, file, tell) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/${path}?name=${encodeURIComponent(file.name)}`);
    let told = 0;
    request.upload.onprogress = (event) => {
      const share = Math.floor((10 * event.loaded) / Math.max(event.total, 1)) / 10;
      if (share > told) tell(told = share);
    };
    request.onerror = () => reject(new Error(`${file.name}: could not be uploaded.`));
    request.onload = () => {
      let said = {};
      try { said = JSON.parse(request.responseText); } catch { /* no JSON: reported below */ }
      if (request.status < 300) resolve(said);
      else reject(new Error(said.error ?? `${file.name}: refused (${request.status}).`));
    };
    request.send(file);
  });
}

/** Save an answer as a file under the name in its header. */
export async function save(path, options) {
  const answer = await call(path, options);
  const name = decodeURIComponent(answer.headers.get("content-disposition").split("''")[1]);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return name;
}
