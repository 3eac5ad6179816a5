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

function folded(title, text) {
  const details = element("details");
  const content = element("pre", text);
  content.tabIndex = 0;
  content.setAttribute("aria-label", title);
  details.append(element("summary", title), content);
  return details;
}

async function problem(response) {
  try {
    return (await response.json()).error;
  } catch {
    return `Error ${response.status}`;
  }
}

const milliseconds = (value) => (value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`);
const dollars = (value) => (value >= 0.01 ? `$${value.toFixed(2)}` : value >= 0.00001 ? `$${value.toFixed(5)}` : "<$0.00001");
const many = (value) => value.toLocaleString("en");

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

function bar(start, end, whole) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const places = { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" };
  for (const [name, value] of Object.entries(places)) svg.setAttribute(name, value);
  const sizes = { x: (100 * start) / whole, y: 1, width: Math.max((100 * (end - start)) / whole, 0.7), height: 6 };
  for (const [name, value] of Object.entries(sizes)) rect.setAttribute(name, value);
  svg.append(rect);
  return svg;
}

function timeline(phases) {
  const list = element("ol", undefined, "phases");
  const whole = Math.max(1, ...phases.map((phase) => phase.end));
  for (const { name, start, end } of phases) {
    const item = element("li");
    item.append(element("span", name), bar(start, end, whole), element("span", milliseconds(end - start), "took"));
    list.append(item);
  }
  const last = element("li");
  last.append(element("span", "Done", "moment"), bar(whole * 0.993, whole, whole), element("span", `after ${milliseconds(whole)}`, "took"));
  list.append(last);
  return list;
}

const ENGINES = { local: "the local engine", memory: "what was left of the last answer" };

function showTrace(turn, box) {
  const used = turn.usage;
  box.replaceChildren();
  box.append(element("p", `${turn.agent}: answered by ${turn.model || ENGINES[turn.engine] || "nobody"}`));
  if (turn.failure) box.append(element("p", turn.failure, "note bad"));
  box.append(timeline(turn.phases));
  const tokens = `${many(used.input_tokens)} tokens in (${many(used.cached_tokens)} cached), ${many(used.output_tokens)} out`;
  box.append(element("p", used.input_tokens ? `${tokens}; ${turn.cost_usd ? dollars(turn.cost_usd) : "free"}` : "No tokens were used.", "quiet"));
  for (const tool of turn.tools) {
    box.append(element("h3", tool.failed ? `${tool.name} (failed)` : tool.name), element("pre", `${tool.arguments}\n→ ${tool.result}`));
  }
  for (const { role, text } of turn.sent) box.append(folded(`Sent as ${role} (${many(text.length)} characters)`, text));
  if (!turn.id) return;
  const link = element("a", "All about this turn, and why it was told what it was");
  link.href = `${meta("base")}/conversations/${turn.id}`;
  box.append(link);
}

function setUpAsking(form) {
  const fresh = () => crypto.getRandomValues(new Uint32Array(2)).join("-");
  let conversation = fresh();
  let running;
  byId("stop").addEventListener("click", () => running && running.abort());
  for (const idea of document.querySelectorAll(".idea")) {
    idea.addEventListener("click", () => {
      byId("text").value = idea.textContent;
      form.requestSubmit();
    });
  }

  async function hear(values, item, answer) {
    const response = await send("/api/ask", { ...values, conversation }, running.signal);
    if (!response.ok) throw new Error(await problem(response));
    let spoken = "";
    for await (const line of lines(response)) {
      if (line.text !== undefined) answer.textContent = spoken += line.text;
      if (line.failure) item.classList.add("bad");
      if (line.turn) showTrace(line.turn, byId("trace"));
    }
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (running) return;
    running = new AbortController();
    const values = Object.fromEntries(new FormData(form));
    if (!byId("go-on").checked) conversation = fresh();
    const item = element("li");
    const answer = element("p", "…", "bubble waiting-dots");
    item.append(element("p", values.text, "bubble asked"), answer);
    byId("said").prepend(item);
    byId("text").value = "";
    byId("ideas").hidden = true;
    byId("stop").hidden = false;
    try {
      await hear(values, item, answer);
    } catch (error) {
      answer.textContent = error.name === "AbortError" ? "(stopped)" : error.message;
      item.classList.add("bad");
    }
    answer.classList.remove("waiting-dots");
    byId("stop").hidden = true;
    running = undefined;
    byId("text").focus();
  });
}

// ---- Prompt

function coloured(line) {
  const kind = line.startsWith("+") ? "added" : line.startsWith("-") ? "gone" : "";
  return element("span", `${line}\n`, kind);
}

function priced({ turn_usd: turn, month_usd: month }) {
  if (turn === null) return "What a question costs is not known.";
  const pace = month > 0 ? `${dollars(month)} a month at the pace of the last week` : `at 20 questions a day ${dollars(turn * 600)} a month`;
  return turn > 0 ? `About ${dollars(turn)} a question; ${pace}.` : "This model costs nothing.";
}

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
    complain(answer);
    if (!answer.error) show(answer);
  }

  function complain({ error, line }) {
    const box = byId("prompt-error");
    box.hidden = !error;
    box.textContent = error ? (line ? `Line ${line}: ${error} ` : error) : "";
    editor.setAttribute("aria-invalid", error ? "true" : "false");
    if (!error || !line) return;
    const button = element("button", `Go to line ${line}`, "plain small");
    button.type = "button";
    button.addEventListener("click", () => goTo(line));
    box.append(button);
  }

  function goTo(line) {
    const rows = editor.value.split("\n");
    const start = rows.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    editor.focus();
    editor.setSelectionRange(start, start + (rows[line - 1] || "").length);
  }

  function show(answer) {
    byId("preview").textContent = answer.text;
    byId("difference").replaceChildren(...(answer.difference.length ? answer.difference.map(coloured) : ["none"]));
    const body = byId("sizes").tBodies[0];
    const all = Object.values(answer.tokens).reduce((sum, each) => sum + each, 0);
    body.replaceChildren();
    for (const [part, tokens] of [...Object.entries(answer.tokens), ["all", all]]) {
      const row = element("tr");
      row.append(element("th", part), element("td"), element("td", `about ${many(tokens)} tokens`, "number"));
      if (part !== "all") row.children[1].append(bar(0, tokens, Math.max(all, 1)));
      row.firstChild.scope = "row";
      body.append(row);
    }
    byId("cost").textContent = priced(answer) + (answer.rendered_by === "this program" ? "" : ` Rendered by ${answer.rendered_by}.`);
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
  preview();
}

// ---- Options

function setUpTest(button) {
  button.addEventListener("click", async () => {
    const told = button.parentElement.querySelector("[role=status]");
    told.textContent = "Trying…";
    const response = await send(`/api/test/${button.dataset.step}`, { agent: button.dataset.agent });
    told.textContent = response.ok ? (await response.json()).text : await problem(response);
  });
}

function setUpOptions(form) {
  const fields = [...form.querySelectorAll(".option input, .option select")];
  const begun = new Map(fields.map((field) => [field, field.type === "checkbox" ? field.checked : field.value]));
  const isChanged = (field) => begun.get(field) !== (field.type === "checkbox" ? field.checked : field.value);

  form.addEventListener("input", () => {
    const changed = new Set(fields.filter(isChanged).map((field) => field.closest(".option")));
    for (const option of form.querySelectorAll(".option")) option.classList.toggle("changed", changed.has(option));
    const count = changed.size;
    if (byId("changed")) byId("changed").textContent = count ? `${count} ${count === 1 ? "change is" : "changes are"} not saved yet` : "";
  });
  byId("filter").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const section of form.querySelectorAll("section")) {
      let shown = 0;
      for (const option of section.querySelectorAll(".option")) {
        option.hidden = !words.every((word) => option.dataset.words.toLowerCase().includes(word));
        shown += !option.hidden;
      }
      section.hidden = !shown;
    }
  });
}

// ---- What is going on while one looks

function keepFresh(box) {
  const timer = setInterval(async () => {
    if (document.hidden || box.contains(document.activeElement)) return;
    try {
      const response = await fetch(meta("base") + box.dataset.live);
      const found = new DOMParser().parseFromString(await response.text(), "text/html").getElementById(box.id);
      if (!found) clearInterval(timer);
      else if (found.innerHTML !== box.innerHTML) box.replaceChildren(...found.childNodes);
    } catch {
      // the program is away; the next look may find it again
    }
  }, 5000);
}

if (byId("ask")) setUpAsking(byId("ask"));
if (byId("prompt-form")) setUpPrompt(byId("prompt-form"));
if (byId("options-form")) setUpOptions(byId("options-form"));
document.querySelectorAll(".test").forEach(setUpTest);
document.querySelectorAll("[data-live]").forEach(keepFresh);
