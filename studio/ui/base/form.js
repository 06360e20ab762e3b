// form.js - a form from a JSON Schema whose properties are paths of a request (docs/api.md, Inputs): "parameters.samples" is
// `samples` in `parameters`. The request is the state: a field reads its value there, and writes it there.

import { each, h, icon } from "./dom.js";
import { Exact, isObject, number, parse, stringify } from "./exact.js";
import { bytes } from "./format.js";
import { computed, effect, signal } from "./signal.js";

// Paths ---------------------------------------------------------------------------------------------------------------------

/** Each text, number, ... of a value changed by fn; members by name, so that equal values are equal texts. */
export function mapLeaves(value, fn) {
  if (Array.isArray(value)) return value.map(item => mapLeaves(item, fn)).filter(item => item !== undefined);
  if (!isObject(value)) return fn(value);
  return Object.fromEntries(Object.keys(value).sort().map(name => [name, mapLeaves(value[name], fn)]).filter(([, item]) => item !== undefined));
}

const same = (one, other) => one === other || (one !== undefined && other !== undefined && stringify(one) === stringify(other));

// Files: in a request that is edited a short text stands for each ---------------------------------------------------------------

const kept = new Map(); // token -> { name, size, type, uri, picture }

const readUri = file => new Promise((resolve, reject) => {
  const reader = Object.assign(new FileReader(), { onload: () => resolve(reader.result), onerror: () => reject(reader.error) });
  reader.readAsDataURL(file);
});

export const files = {
  async add(file) {
    const token = `attached:${kept.size + 1}:${file.name || "pasted"}`;
    const picture = file.type.startsWith("image/") ? URL.createObjectURL(file) : null;
    kept.set(token, { name: file.name || "pasted", size: file.size, uri: await readUri(file), picture });
    return token;
  },
  get: token => typeof token === "string" ? kept.get(token) : undefined,
  /** The request as it is sent: data URIs in place of the tokens. */
  expand: value => mapLeaves(value, leaf => files.get(leaf)?.uri ?? leaf),
  most: signal(16 * 1024 * 1024), // of a request's body
};

// Words of a schema ---------------------------------------------------------------------------------------------------------

const typesOf = words => [].concat(words.type ?? []);
export const isSeed = path => /(^|[._])seed$/i.test(path);
const valuesOf = words => words.enum ?? (words.const !== undefined ? [words.const] : typesOf(words).join() === "boolean" ? [true, false] : null);
const show = value => value === true ? "yes" : value === false ? "no" : typeof value === "string" ? value : stringify(value);

/** "job.policy.executionTimeout" is "Execution timeout"; inside() says of what. */
export const labelOf = (path, words = {}) => words.title ?? path.split(".").pop().replace(/([a-z\d])([A-Z])/g, "$1 $2").replace(/_/g, " ").toLowerCase()
  .replace(words.x_unit ? / (seconds|minutes)$/ : "", "").replace(/^./, first => first.toUpperCase());

const inside = path => path.replace(/^(parameters|job)\./, "").split(".").slice(0, -1).join(", ");

function rangeText({ minimum: least = null, maximum: most = null, exclusiveMinimum: above = null, multipleOf: step }) {
  const range = least !== null && most !== null ? `${least} to ${most}` : least !== null ? `at least ${least}` : above !== null ? `above ${above}` : most !== null && `at most ${most}`;
  return [range, step && `in steps of ${step}`];
}

const hintOf = (path, words) => [
  words.description, ...rangeText(words), words.maxLength && `at most ${words.maxLength} characters`,
  isSeed(path) ? "empty: random" : words.default !== undefined && !valuesOf(words) && !words.anyOf && `default ${show(words.default)}`,
].filter(Boolean).join(", ");

// Fields of text ------------------------------------------------------------------------------------------------------------

/** Binds a text control to the request: read(text) gives the value or throws what is wrong, write(value) the text. */
function bind(field, node, read, write = show) {
  const value = computed(field.get);
  const readable = () => {
    try {
      return node.value.trim() === "" ? undefined : read(node.value);
    } catch {
      return node; // like no value
    }
  };
  effect(() => {
    const now = value.value;
    if (same(now, readable())) return;
    field.fail(null);
    node.value = now === undefined ? "" : write(now);
  });
  node.addEventListener("input", () => {
    try {
      field.set(node.value === "" ? undefined : read(node.value));
      field.fail(null);
    } catch (error) {
      field.fail(error.message);
    }
  });
  return node;
}

const area = (field, rows, kind = "") => h(`textarea${kind}`, { ...field.control, rows, placeholder: field.example, spellcheck: kind ? "false" : null });

function textLine(field, read = text => text, write = show) {
  const list = field.words.examples && h("datalist", { id: `${field.id}-list` }, field.words.examples.map(value => h("option", { value: show(value) })));
  return [bind(field, h("input", { ...field.control, type: "text", list: list ? `${field.id}-list` : null, placeholder: field.example, autocomplete: "off" }), read, write), list];
}

const text = field => field.words.x_lines ? bind(field, area(field, field.words.x_lines), value => value) : textLine(field);

function readNumber(words) {
  const whole = typesOf(words).join() === "integer";
  return source => {
    if (!(whole ? /^-?\d+$/ : /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i).test(source.trim())) throw new Error(whole ? "a whole number is needed" : "a number is needed");
    return number(source.trim());
  };
}

const numberBox = field => bind(field, h("input.number-box", { ...field.control, type: "text", inputmode: "decimal", autocomplete: "off", placeholder: field.example }), readNumber(field.words));

/** Few enough steps to slide over. */
function slider(field) {
  const { minimum, maximum, multipleOf, type, default: usual } = field.words;
  const step = multipleOf ?? (type === "integer" ? 1 : (maximum - minimum) / 100);
  return [numberBox(field), h("input", {
    type: "range", min: minimum, max: maximum, step, "aria-label": `${field.label}, slider`, value: () => Number(field.get() ?? usual ?? minimum),
    oninput: event => field.set(Number(event.target.value)),
  })];
}

const canSlide = ({ minimum, maximum, multipleOf = 1 }) => Number.isSafeInteger(maximum) && minimum >= -1e4 && (maximum - minimum) / multipleOf <= 200;

export const randomSeed = most => {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return number(String((BigInt(high) << 32n | BigInt(low)) % (BigInt(String(most ?? 2147483647)) + 1n)));
};

const seed = field => h("div.with-button", numberBox(field),
  h("button.button", { type: "button", "aria-label": `${field.label}: random`, onclick: () => field.set(randomSeed(field.words.maximum)) }, "Random"));

function readJson(words) {
  const wanted = typesOf(words);
  return source => {
    const value = parse(source);
    if (wanted.length && !wanted.includes(Array.isArray(value) ? "array" : isObject(value) ? "object" : "")) throw new Error(`JSON: an ${wanted.join(" or ")} is needed`);
    return value;
  };
}

const json = field => bind(field, area(field, field.words.x_lines ?? (field.required ? 4 : 2), ".mono"), readJson(field.words), value => typeof value === "string" ? value : stringify(value, 2));

const typeOf = value => value === null ? "null" : Array.isArray(value) ? "array" : isObject(value) ? "object" : typeof value === "object" ? "number" : typeof value;

/** What may be of several types: JSON of one of them, else a text. */
function free(field) {
  const types = typesOf(field.words);
  const read = source => {
    try {
      const value = parse(source), type = typeOf(value);
      return types.length === 0 || types.includes(type) || (type === "number" && types.includes("integer")) ? value : source;
    } catch {
      return source;
    }
  };
  const write = value => typeof value === "string" && same(read(value), value) ? value : stringify(value, 2);
  return field.words.x_lines || isObject(field.get()) || String(field.get()).length > 60
    ? bind(field, area(field, field.words.x_lines ?? 4), read, write) : textLine(field, read, write);
}

const lines = field => bind(field, area(field, 3), value => value.split("\n").filter(Boolean), list => Array.isArray(list) ? list.join("\n") : show(list));

// Fields of choices ---------------------------------------------------------------------------------------------------------

const unset = words => words.default !== undefined ? `default: ${show(words.default)}` : "not set";

function radios(field) {
  const { words } = field, values = valuesOf(words);
  const one = (value, word) => h("label.check", h("input", {
    type: "radio", name: field.id, "aria-describedby": field.control["aria-describedby"], onchange: () => field.set(value),
    checked: () => same(field.get() === undefined ? words.default : field.get(), value),
  }), word);
  return h("div.row.radios", values.map(value => one(value, show(value))), !field.required && words.default === undefined && one(undefined, "not set"));
}

/** A select; `own` is one more entry, that stands for all other values. */
function select(field, values = valuesOf(field.words), own = null) {
  const place = computed(() => {
    const value = field.get(), index = values.findIndex(one => same(one, value));
    return value === undefined ? "" : String(index < 0 ? values.length : index);
  });
  return h("select", {
    ...field.control, value: () => place.value,
    onchange: ({ target }) => field.set(target.value === "" ? undefined : values[target.value] ?? own?.value ?? field.get()),
  }, h("option", { value: "" }, unset(field.words)), values.map((value, index) => h("option", { value: index }, show(value))),
  h("option", { value: values.length, hidden: () => !own && place.value !== String(values.length) }, () => own ? own.word : show(field.get() ?? "")));
}

/** A size by its name, or by its numbers. */
function named(field) {
  const [names, own] = [field.words.anyOf.find(one => one.enum), field.words.anyOf.find(one => one.properties)];
  const parts = Object.entries(own.properties).reverse();
  const isOwn = computed(() => isObject(field.get()));
  const part = ([name, words]) => numberBox({
    ...field, words, control: { id: `${field.id}-${name}`, "aria-label": `${field.label}, ${name}` }, example: name,
    get: () => field.get()?.[name], set: value => field.set({ ...field.get(), [name]: value }),
  });
  return [select(field, names.enum, { word: "own size", value: Object.fromEntries(parts.map(([name]) => [name, 1024])) }),
    () => isOwn.value && h("div.row.numbers", parts.map(part))];
}

function checks(field) {
  const list = () => [].concat(field.get() ?? []);
  const toggle = (value, on) => {
    const next = list().filter(one => !same(one, value)).concat(on ? [value] : []);
    field.set(next.length ? next : undefined);
  };
  return h("div.row", field.words.items.enum.map(value => h("label.check", h("input", {
    type: "checkbox", checked: () => list().some(one => same(one, value)), onchange: event => toggle(value, event.target.checked),
  }), show(value))));
}

// Fields of files -----------------------------------------------------------------------------------------------------------

function attachment(value, remove) {
  const file = files.get(value);
  return h("div.attached", file?.picture ? h("img", { src: file.picture, alt: "" }) : icon("file"),
    h("span.cut", { title: file ? null : value }, file?.name ?? value), file && h("span.hint", bytes(file.size)),
    h("button.icon-button", { type: "button", "aria-label": `Remove ${file?.name ?? value}`, onclick: remove }, icon("cross")));
}

/** By choosing, dropping or pasting; by its URL where the vendor fetches it. */
function fileBox(field) {
  const { words } = field, many = typesOf(words).includes("array"), single = typesOf(words).includes("string");
  const list = () => [].concat(field.get() ?? []);
  const give = items => field.set(items.length === 0 ? undefined : single && items.length === 1 ? items[0] : items);
  const add = item => give(many ? [...list(), item] : [item]);
  const take = async chosen => {
    for (const file of [...chosen].slice(0, many ? 100 : 1)) {
      if (file.size * 4 / 3 > files.most.peek()) field.fail(`${file.name} has ${bytes(file.size)}: a request may have ${bytes(files.most.peek())}, files a third more than they are`);
      else add(await files.add(file).finally(() => field.fail(null)));
    }
  };
  const choose = h("input", { type: "file", hidden: true, multiple: many, accept: /image|video|audio/.test(words.x_file) ? `${words.x_file}/*` : null, onchange: () => take(choose.files) });
  const address = h("input", {
    ...field.control, type: "text", autocomplete: "off", placeholder: words.contentEncoding ? "paste or drop a file here" : "https://…, or paste or drop a file here",
    onchange: () => {
      if (address.value.trim()) add(address.value.trim());
      address.value = "";
    },
  });
  const over = event => event.preventDefault();
  return h("div.drop", {
    ondragover: over, ondrop: event => (over(event), take(event.dataTransfer.files)),
    onpaste: event => event.clipboardData.files.length && (over(event), take(event.clipboardData.files)),
  }, each(() => list().map((value, index) => ({ value, index })), one => `${one.index}:${show(one.value)}`,
    one => attachment(show(one.peek().value), () => give(list().filter((_, index) => index !== one.peek().index)))),
  h("div.with-button", address, h("button.button", { type: "button", "aria-label": `${field.label}: choose a file`, onclick: () => choose.click() }, "Choose…"), choose));
}

// The form ------------------------------------------------------------------------------------------------------------------

function controlOf({ path, words }) {
  const types = typesOf(words), type = types.length === 1 && types[0];
  if (words.x_file) return fileBox;
  if (valuesOf(words)) return valuesOf(words).length <= 4 ? radios : select;
  if (words.anyOf?.some(one => one.enum) && words.anyOf.some(one => one.properties)) return named;
  if (type === "integer" && isSeed(path)) return seed;
  if (type === "integer" || type === "number") return canSlide(words) ? slider : numberBox;
  if (type === "array" && words.items?.enum) return checks;
  if (type === "array" && words.items?.type === "string") return lines;
  if (type === "string") return text;
  return types.length && types.every(one => one === "object" || one === "array") ? json : free;
}

const GROUPS = new Set([radios, checks]);
const WIDE = new Set([fileBox, json, lines]);
let made = 0;

/** One field: label, control, hint, and what is said of it. options as of schemaForm; `note` stands after the label. */
export function fieldOf(path, schema, options, note = "") {
  const words = { ...schema, x_lines: schema.x_lines ?? (/(^|\.)prompt$/.test(path) && !schema.enum ? 4 : undefined) };
  const id = `field-${++made}`, wrong = signal(null);
  const said = () => wrong.value ? [{ text: wrong.value, level: "error" }] : options.said(path);
  const field = {
    path, words, id, label: labelOf(path, words), required: options.required?.includes(path), example: words.default !== undefined ? show(words.default) : words.examples ? show(words.examples[0]) : null,
    get: () => options.get(path), set: value => options.set(path, value),
    fail(message) {
      wrong.value = message;
      options.unreadable?.(path, message !== null);
    },
    control: { id, name: path, "aria-describedby": `${id}-hint`, "aria-invalid": () => said().some(one => one.level === "error") ? "true" : null },
  };
  const make = controlOf(field), group = GROUPS.has(make);
  const notes = [inside(path), words.x_unit === "s" ? "seconds" : words.x_unit, words.x_costs && "decides the price", note].filter(Boolean).join(", ");
  const label = [field.label, notes && h("span.hint", ` ${notes}`), field.required && h("span.hint", " required")];
  const wide = WIDE.has(make) || words.x_lines || (group && String(valuesOf(words)).length > 40);
  return h(`${group ? "fieldset" : "div"}.field`, { "data-path": path, class: `${wide ? "is-wide" : ""} ${make === slider ? "is-slider" : ""}` },
    group ? h("legend", label) : h("label", { for: id }, label), make(field),
    h("div.hints", { id: `${id}-hint` }, hintOf(path, words) && h("p.hint", hintOf(path, words)), () => said().map(one => h(`p.${one.level}`, one.text))));
}

/** What can be only one thing goes with the choice. */
export const isFixed = (path, words, { required = [] }) => words.enum?.length === 1 && required.includes(path);

const rankOf = (path, words, required) => (path === "prompt" || path === "job.input" ? -3 : required.includes(path) ? -2 : words.x_decides || words.x_costs ? -1 : 0);

/** First what decides what is made and what it costs; what is rarely wanted is behind "more". */
function divide({ properties = {}, required = [] }) {
  const all = Object.entries(properties).sort(([a, x], [b, y]) => rankOf(a, x, required) - rankOf(b, y, required) || (x.x_order ?? 999) - (y.x_order ?? 999) || (a < b ? -1 : 1));
  const most = all.length <= 12;
  const first = ([path, words]) => isFixed(path, words, { required }) ? false : required.includes(path) || isSeed(path) || words.x_decides || words.x_costs || (!words.x_advanced && (most || words.x_lines || path.includes("negative")));
  return [all.filter(first), all.filter(one => !first(one))];
}

/**
 * The form of a schema. options: get(path), set(path, value or undefined) of the request; said(path) -> [{ text, level }], level "error",
 * "warning" or "hint"; unreadable(path, bool): what stands in a field is no value.
 */
export function schemaForm(schema, options) {
  const [first, more] = divide(schema), all = { ...options, required: schema.required };
  const field = ([path, words]) => fieldOf(path, words, all);
  const wanted = computed(() => more.some(([path, words]) => (options.get(path) !== undefined && !isFixed(path, words, schema)) || options.said(path).length > 0));
  const names = more.map(([path, words]) => labelOf(path, words).toLowerCase());
  const details = more.length > 0 && h("details.is-wide", h("summary", `${more.length} more: ${names.slice(0, 4).join(", ")}${more.length > 4 ? ", …" : ""}`),
    h("div.grid-form", more.map(field)));
  if (details) effect(() => wanted.value && (details.open = true));
  return h("div.grid-form", first.map(field), details);
}
