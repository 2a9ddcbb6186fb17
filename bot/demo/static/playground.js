// What a chat does and SimCord's page does not: it follows the newest message, loses no click, and lets a
// command's name be pressed. It also guides a newcomer through the first minute.

const timeline = document.getElementById("channel-timeline");
const list = document.getElementById("channel-message-list");
const composer = document.getElementById("channel-composer");
const input = document.getElementById("channel-composer-input");

const NEAR_THE_END_PX = 120;
const PATIENCE_MS = 15_000;
const POLL_MS = 100;

// 1. The newest message stays in sight, unless the person scrolled up to read.
let follows = true;
const toTheEnd = () => { if (follows) timeline.scrollTop = timeline.scrollHeight; };
const look = () => requestAnimationFrame(() => {
  follows = timeline.scrollHeight - timeline.scrollTop - timeline.clientHeight < NEAR_THE_END_PX;
});
for (const kind of ["wheel", "touchmove", "pointerup", "keyup"]) timeline.addEventListener(kind, look, { passive: true });
new MutationObserver(toTheEnd).observe(list, { childList: true, subtree: true, characterData: true });
new ResizeObserver(toTheEnd).observe(list);
new ResizeObserver(toTheEnd).observe(timeline);
composer.addEventListener("submit", () => { follows = true; toTheEnd(); }, true);

// 2. A click that comes while the page is redrawn or busy is made up for.
const nameOf = (button) => ({
  message: button.closest("[data-message-id]")?.dataset.messageId, control: button.dataset.controlKey,
});
const buttonOf = (name) => [...list.querySelectorAll(`[data-message-id="${name.message}"] button.component-button`)]
  .find((button) => button.dataset.controlKey === name.control);
const isBusy = (button) => !button.disabled && button.getAttribute("aria-disabled") === "true";

const waiting = [];

function clickWhenFree(name) {
  waiting.push({ name, until: Date.now() + PATIENCE_MS });
  if (waiting.length === 1) setTimeout(next, POLL_MS);
}

function next() {
  const { name, until } = waiting[0];
  const button = buttonOf(name);
  if (button && isBusy(button) && Date.now() < until) return void setTimeout(next, POLL_MS);
  waiting.shift();
  if (button && !button.disabled) button.click();
  if (waiting.length) setTimeout(next, POLL_MS);
}

let pressed = null;
list.addEventListener("pointerdown", (event) => {
  const button = event.target.closest("button.component-button");
  pressed = button && { button, name: nameOf(button) };
}, true);
document.addEventListener("pointerup", () => {
  // A browser sends no click if the element was replaced while the button of the mouse was down.
  if (pressed && !pressed.button.isConnected) clickWhenFree(pressed.name);
  pressed = null;
}, true);
list.addEventListener("click", (event) => {
  const button = event.target.closest("button.component-button");
  if (!button || !isBusy(button)) return;
  event.stopImmediatePropagation();
  clickWhenFree(nameOf(button));
}, true);

// 3. A command's name in a text can be pressed, as in Discord: the composer then holds it.
const commandOf = (target) => target instanceof Element && target.closest("#channel-message-list .command-mention");
new MutationObserver(() => {
  for (const name of list.querySelectorAll(".command-mention:not([role])")) {
    name.setAttribute("role", "button");
    name.tabIndex = 0;
  }
}).observe(list, { childList: true, subtree: true });
list.addEventListener("click", (event) => {
  const name = commandOf(event.target);
  if (name) typeCommand(name.textContent.slice(1));
});
list.addEventListener("keydown", (event) => {
  const name = (event.key === "Enter" || event.key === " ") && commandOf(event.target);
  if (!name) return;
  event.preventDefault();
  typeCommand(name.textContent.slice(1));
});

// 4. Of what the page reports about itself, a person needs what went wrong.
const report = document.getElementById("action-status");
const WRONG = /interrupted|uncertain|not completed|unavailable|ended/;
const showTrouble = () => report.classList.toggle("is-trouble", WRONG.test(report.textContent));
new MutationObserver(showTrouble).observe(report, { childList: true, characterData: true, subtree: true });
showTrouble();

// 5. The first minute.
const STEPS = [
  { command: "generate", does: "The model writes a text." },
  { command: "train", does: "Teach it a .txt file of your own." },
  { command: "schedule", does: "Let it post by itself, such as every day at 9." },
];
const KEPT = "pastiche-first-minute";

function typeCommand(command) {
  document.querySelector(".command-context-close")?.click();  // of a command that was begun
  input.focus();
  input.value = `/${command}`;
  input.setSelectionRange(input.value.length, input.value.length);
  input.dispatchEvent(new InputEvent("input", { bubbles: true, data: command, inputType: "insertText" }));
}

function guide() {
  const panel = document.createElement("aside");
  panel.id = "first-minute";
  panel.setAttribute("aria-label", "First steps");
  const title = document.createElement("strong");
  title.textContent = "Try it:";
  const steps = document.createElement("ol");
  for (const { command, does } of STEPS) {
    const step = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `/${command}`;
    button.title = does;
    button.addEventListener("click", () => { typeCommand(command); step.classList.add("is-done"); });
    const what = document.createElement("span");
    what.textContent = does;
    step.append(button, what);
    steps.append(step);
  }
  const dismiss = document.createElement("button");
  dismiss.type = "button";
  dismiss.className = "dismiss";
  dismiss.textContent = "Hide";
  dismiss.addEventListener("click", () => { sessionStorage.setItem(KEPT, "hidden"); panel.remove(); input.focus(); });
  panel.append(title, steps, dismiss);
  composer.before(panel);
}

if (sessionStorage.getItem(KEPT) !== "hidden") guide();

// 6. A command that is typed or pasted with its options is no message: it is chosen in the list, as in Discord.
const WITH_OPTIONS = /^\/([a-z]+(?: [a-z]+)*?)\s+[a-z_]+:/;
const HINT_MS = 15_000;

function hint(text) {
  document.getElementById("command-hint")?.remove();
  const line = document.createElement("p");
  line.id = "command-hint";
  line.setAttribute("role", "status");
  line.textContent = text;
  composer.before(line);
  setTimeout(() => line.remove(), HINT_MS);
}

composer.addEventListener("submit", (event) => {
  const typed = WITH_OPTIONS.exec(input.value);
  if (!typed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  typeCommand(typed[1]);
  hint(`The options of /${typed[1]} have fields of their own: choose the command, then fill them in.`);
}, true);
