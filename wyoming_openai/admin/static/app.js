"use strict";
// Everything here only makes pages livelier; text goes into them as text (textContent), never as markup.

const meta = (name) => document.querySelector(`meta[name="${name}"]`).content;
const byId = (id) => document.getElementById(id);

function send(path, body, signal) {
  return fetch(meta("base") + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Token": meta("token") },
    body: JSON.stringify(body),
    signal,
  });
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

async function problem(response) {
  try {
    return (await response.json()).error;
  } catch {
    return `Error ${response.status}`;
  }
}

// ---- Try it

async function* lines(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const part of parts) yield JSON.parse(part);
  }
}

function milliseconds(value) {
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}

const STEPS = { context: "Home looked up", first_token: "First token", first_text: "First words", total: "Done" };

function showTrace(turn) {
  const box = byId("trace");
  box.replaceChildren();
  box.append(element("p", `Answered by ${turn.model || turn.engine || "nobody"}`));
  if (turn.failure) box.append(element("p", turn.failure, "note bad"));
  const steps = element("ol", undefined, "steps");
  for (const [name, value] of Object.entries(turn.timings_ms).sort((a, b) => a[1] - b[1])) {
    steps.append(element("li", `${STEPS[name] || name}: ${milliseconds(value)}`));
  }
  box.append(steps);
  const used = turn.usage;
  box.append(element("p", `${used.input_tokens} tokens in (${used.cached_tokens} cached), ${used.output_tokens} out`, "quiet"));
  for (const tool of turn.tools) {
    box.append(element("h3", tool.name), element("pre", `${tool.arguments}\n→ ${tool.result}`));
  }
  for (const message of turn.sent) {
    const details = element("details");
    details.append(element("summary", `Sent as ${message.role} (${message.text.length} characters)`));
    const text = element("pre", message.text);
    text.tabIndex = 0;
    details.append(text);
    box.append(details);
  }
}

function setUpAsking(form) {
  let conversation = crypto.getRandomValues(new Uint32Array(2)).join("-");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(form));
    if (!byId("go-on").checked) conversation = crypto.getRandomValues(new Uint32Array(2)).join("-");
    const item = element("li", undefined, "card");
    const answer = element("p", "…");
    item.append(element("p", values.text, "said"), answer);
    byId("said").prepend(item);
    byId("text").value = "";
    try {
      const response = await send("/api/ask", { ...values, conversation });
      if (!response.ok) throw new Error(await problem(response));
      let spoken = "";
      for await (const line of lines(response)) {
        if (line.text !== undefined) answer.textContent = spoken += line.text;
        if (line.failure) item.classList.add("bad");
        if (line.turn) showTrace(line.turn);
      }
    } catch (error) {
      answer.textContent = error.message;
      item.classList.add("bad");
    }
  });
}

// ---- Prompt

function setUpPrompt(form) {
  const editor = byId("prompt");
  let waiting, running;

  async function preview() {
    if (running) running.abort();
    running = new AbortController();
    const { prompt, agent, place, language, text } = Object.fromEntries(new FormData(form));
    let answer;
    try {
      const response = await send("/api/prompt/preview", { prompt, agent, place, language, text }, running.signal);
      answer = response.ok ? await response.json() : { error: await problem(response) };
    } catch (error) {
      if (error.name === "AbortError") return;
      answer = { error: error.message };
    }
    const place_of_error = answer.line ? `Line ${answer.line}: ` : "";
    byId("prompt-error").hidden = !answer.error;
    byId("prompt-error").textContent = answer.error ? place_of_error + answer.error : "";
    editor.setAttribute("aria-invalid", answer.error ? "true" : "false");
    if (!answer.error) show(answer);
  }

  function show(answer) {
    byId("preview").textContent = answer.text;
    byId("difference").textContent = answer.difference.join("\n") || "none";
    const body = byId("sizes").tBodies[0];
    body.replaceChildren();
    let all = 0;
    for (const [part, tokens] of [...Object.entries(answer.tokens), ["all", null]]) {
      all += tokens || 0;
      const row = element("tr");
      row.append(element("th", part), element("td", `about ${tokens === null ? all : tokens} tokens`, "number"));
      row.firstChild.scope = "row";
      body.append(row);
    }
    byId("cost").textContent =
      answer.turn_usd === null
        ? "What a question costs is not known."
        : `About $${answer.turn_usd.toFixed(5)} a question, $${answer.month_usd.toFixed(2)} a month at the pace of the last week.`;
  }

  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(preview, 250);
  }

  form.addEventListener("input", soon);
  for (const button of document.querySelectorAll("#undo, #to-default, .restore")) {
    button.addEventListener("click", () => {
      editor.value = button.dataset.text;
      editor.focus();
      soon();
    });
  }
  byId("agent").addEventListener("change", (event) => {
    location.search = new URLSearchParams({ agent: event.target.value });
  });
  preview();
}

// ---- Options

function setUpTest(button) {
  button.addEventListener("click", async () => {
    const told = button.parentElement.querySelector("[role=status]");
    told.textContent = "Trying…";
    const response = await send(`/api/test/${button.dataset.step}`, {});
    told.textContent = response.ok ? (await response.json()).text : await problem(response);
  });
}

if (byId("ask")) setUpAsking(byId("ask"));
if (byId("prompt-form")) setUpPrompt(byId("prompt-form"));
document.querySelectorAll(".test").forEach(setUpTest);
