// signal.js - values that tell who has read them when they change.
//
// An effect belongs to what was running when it was made (its owner): when the owner runs again or is disposed, its effects are
// too. So a page that is closed leaves nothing behind.

let owner = null; // what effects and cleanups made now belong to
let reader = null; // who hears of the values that are read now
let depth = 0;
const due = new Set();

const newOwner = () => ({ cleanups: [] });

function dispose(node) {
  const cleanups = node.cleanups.splice(0);
  for (const cleanup of cleanups.reverse()) cleanup();
}

/** What is to be done when the owner of this moment runs again or is disposed. */
export function onCleanup(action) {
  if (owner) owner.cleanups.push(action);
}

/** Runs fn(dispose) under an owner of its own, which lives until dispose() is called: whoever makes it ends it. */
export function root(fn) {
  const node = newOwner();
  return runUnder(node, null, () => fn(() => dispose(node)));
}

function runUnder(node, newReader, fn) {
  const [oldOwner, oldReader] = [owner, reader];
  owner = node;
  reader = newReader;
  try {
    return fn();
  } finally {
    owner = oldOwner;
    reader = oldReader;
  }
}

export function untracked(fn) {
  return runUnder(owner, null, fn);
}

function flush() {
  for (let rounds = 0; due.size > 0; rounds++) {
    if (rounds > 100) {
      due.clear();
      throw new Error("effects change each other without end");
    }
    const now = [...due];
    due.clear();
    for (const effect of now) {
      try {
        if (!effect.dead) effect.run();
      } catch (error) {
        reportError(error); // one that fails must not keep the others from running
      }
    }
  }
}

/** Changes many values; who reads them hears once. */
export function batch(fn) {
  depth++;
  try {
    return fn();
  } finally {
    if (--depth === 0) flush();
  }
}

class Signal {
  constructor(value) {
    this.current = value;
    this.readers = new Set();
  }
  get value() {
    if (reader) {
      this.readers.add(reader);
      reader.sources.add(this);
    }
    return this.current;
  }
  set value(value) {
    if (Object.is(value, this.current)) return;
    this.current = value;
    for (const effect of this.readers) due.add(effect);
    if (depth === 0) batch(() => {});
  }
  peek() {
    return this.current;
  }
}

export function signal(value) {
  return new Signal(value);
}

/** Runs fn now, and again whenever a value that it read has changed. Returns what ends it. */
export function effect(fn) {
  const node = newOwner();
  const self = {
    sources: new Set(),
    dead: false,
    run() {
      clear();
      runUnder(node, self, fn);
    },
  };
  const clear = () => {
    dispose(node);
    for (const source of self.sources) source.readers.delete(self);
    self.sources.clear();
  };
  const end = () => {
    self.dead = true;
    clear();
  };
  onCleanup(end);
  self.run();
  return end;
}

/** A value made of others; who reads it hears only when it is another one. */
export function computed(fn) {
  const result = signal(undefined);
  effect(() => {
    result.value = fn();
  });
  return result;
}
