// A script's named steps, one JSON line for each, and its questions to the test that runs it.
"use strict";

const { deepStrictEqual } = require("node:assert");
const { createInterface } = require("node:readline");

// Milliseconds that one step may take.
const PATIENCE = 60000;

// What the emulator's ready file says.
const HUB = JSON.parse(process.env.INTEROP_HUB);

const waiting = new Map();
let numbers = 0;

const input = createInterface({ input: process.stdin });
input.on("line", (line) => {
  const answer = JSON.parse(line);
  const asked = waiting.get(answer.number);
  waiting.delete(answer.number);
  if ("failed" in answer) asked.reject(new Error(answer.failed));
  else asked.resolve(answer.answer);
});

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

// Let the other end of the hub, played by the test, do something; the promise holds what came of it.
function ask(question, details) {
  return new Promise((resolve, reject) => {
    const number = ++numbers;
    waiting.set(number, { resolve, reject });
    say({ ask: question, with: details, number });
  });
}

// Do what the function does and print how that went; an error ends the step, not the script.
async function step(name, act) {
  const started = performance.now();
  let detail = "";
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`late: after ${PATIENCE / 1000} seconds`)), PATIENCE);
  });
  try {
    await Promise.race([act(), late]);
  } catch (error) {
    const place = /\(?([\w-]+\.js:\d+):\d+\)?\n?/.exec(
      String(error.stack).split("\n").filter((line) => line.includes("interop/node")).join("\n"),
    );
    detail = `${error.name}: ${String(error.message).replace(/\s+/g, " ")} (${place ? place[1] : "no place"})`;
  } finally {
    clearTimeout(timer);
  }
  say({ step: name, ok: detail === "", detail: detail.slice(0, 1500), seconds: (performance.now() - started) / 1000 });
}

// Compare whole values; the message of the assertion shows both.
function same(found, expected) {
  deepStrictEqual(found, expected, `${JSON.stringify(found)} is not ${JSON.stringify(expected)}`);
}

// Demand that a promise fails with that name, or with a text in its message.
async function refused(promise, expected) {
  try {
    await promise;
  } catch (error) {
    const found = `${error.name} ${error.constructor.name} ${error.code ?? ""} ${error.message}`;
    if (!found.includes(expected)) throw new Error(`${found} is not ${expected}`);
    return;
  }
  throw new Error(`was not refused as ${expected}`);
}

// Keeps what comes until it is asked for.
class Kept {
  #items = [];
  #takers = [];

  put(item) {
    const taker = this.#takers.shift();
    if (taker) taker(item);
    else this.#items.push(item);
  }

  // Wait for the next; the step's own patience ends the wait.
  take() {
    if (this.#items.length) return Promise.resolve(this.#items.shift());
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  forget() {
    this.#items = [];
    this.#takers = [];
  }
}

// Run the steps and end the process, whatever a package still holds open.
function run(main) {
  main().then(
    () => process.stdout.write("", () => process.exit(0)),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
}

module.exports = { HUB, Kept, ask, refused, run, same, step };
