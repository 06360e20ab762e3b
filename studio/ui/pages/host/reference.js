// reference.js - the API to read: the operations of the host's OpenAPI document, and the shapes of what they take and give.

import { api } from "../../base/api.js";
import { dialog, loading, problemBox } from "../../base/dialog.js";
import { h, term } from "../../base/dom.js";
import { stringify } from "../../base/exact.js";
import { signal } from "../../base/signal.js";
import { resource } from "../../store/resource.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

const nameOf = ref => ref.slice(ref.lastIndexOf("/") + 1);
const at = (document, ref) => ref.slice(2).split("/").reduce((value, name) => value?.[name.replaceAll("~1", "/").replaceAll("~0", "~")], document);
const follow = (document, value) => value?.$ref ? at(document, value.$ref) : value;

// Shapes --------------------------------------------------------------------------------------------------------------------

const between = (parts, word) => parts.flatMap((part, i) => i > 0 ? [word, part] : [part]);

function limitsOf(schema) {
  const said = Object.entries({ format: schema.format, from: schema.minimum, to: schema.maximum, default: schema.default })
    .filter(([, value]) => value !== undefined);
  return said.map(([name, value]) => name === "format" ? ` (${value})` : ` ${name} ${stringify(value)}`).join("");
}

/** A type in a line; a shape with a name is a button that opens it. */
function typeOf(document, schema) {
  if (schema === undefined || schema === true || Object.keys(schema).length === 0) return "anything";
  if (schema.$ref) return h("button.link.mono", { type: "button", onclick: () => open(document, nameOf(schema.$ref)) }, nameOf(schema.$ref));
  if (schema.const !== undefined) return h("code", stringify(schema.const));
  if (schema.enum) return between(schema.enum.map(value => h("code", stringify(value))), " or ");
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices && !schema.properties) return between(choices.map(one => typeOf(document, one)), " or ");
  if (schema.items) return ["list of ", typeOf(document, schema.items)];
  if (schema.additionalProperties?.type || schema.additionalProperties?.$ref) return ["object of ", typeOf(document, schema.additionalProperties)];
  return [[schema.type ?? "object"].flat().join(" or "), limitsOf(schema)];
}

function member(document, name, schema, needed) {
  const inner = schema.items?.properties ? schema.items : schema;
  return term(h("code", name, !needed && "?"), typeOf(document, schema),
    schema.description && h("div.hint", schema.description), inner.properties && shape(document, inner));
}

/** What an object is made of. */
function shape(document, schema) {
  const needed = new Set(schema.required ?? []);
  const members = Object.entries(schema.properties ?? {});
  return h("div.stack", schema.description && h("p.hint", schema.description),
    schema.allOf && h("p", "All of ", between(schema.allOf.map(one => typeOf(document, one)), " and "), members.length > 0 && ", and"),
    members.length > 0 ? h("dl.facts.is-wide", members.map(([name, one]) => member(document, name, one, needed.has(name))))
      : !schema.allOf && h("p", typeOf(document, schema)),
    schema.properties && schema.additionalProperties === true && h("p.hint", "and further members"));
}

function open(document, name) {
  dialog({
    title: name, wide: true, body: shape(document, document.components.schemas[name] ?? {}),
    actions: close => h("button.button", { type: "button", onclick: () => close() }, "Close"),
  });
}

// Operations ------------------------------------------------------------------------------------------------------------------

/** { "application/json": { schema } }: each media type, and what it holds. */
const contents = (document, content) => Object.entries(content ?? {}).map(([type, { schema }]) => h("div.stack",
  h("p", h("code", type), " ", schema && !schema.properties && typeOf(document, schema)), schema?.properties && shape(document, schema)));

const parameter = ({ name, in: place, required, description, schema }, document) => term(h("code", name, !required && "?"),
  place, ": ", typeOf(document, schema), description && h("div.hint", description));

function detail(document, { parameters = [], requestBody, responses }) {
  const taken = parameters.map(one => follow(document, one));
  const given = Object.entries(responses).map(([status, one]) => [status, follow(document, one)]);
  const own = given.filter(([status, { content }]) => status < "400" || !content?.["application/problem+json"]);
  const refused = given.filter(one => !own.includes(one));
  return h("div.stack",
    h("h3", "Takes"), h("dl.facts.is-wide", taken.map(one => parameter(one, document))), contents(document, requestBody?.content),
    h("h3", "Answers"), own.map(([status, one]) => h("div.stack", h("p", h("b", status), " ", one.description), contents(document, one.content))),
    refused.length > 0 && [h("h3", "Refuses, with ", typeOf(document, { $ref: "#/components/schemas/Problem" })),
      h("dl.facts.is-wide", refused.map(([status, one]) => term(h("b", status), one.description)))]);
}

function operationOf(document, { method, path, operation }) {
  const opened = signal(false);
  return h("details", { ontoggle: event => opened.value ||= event.target.open },
    h("summary", h("span.operation-name", h("code.strong", `${method.toUpperCase()} ${path}`), " ", operation.summary, " ",
      h("span.hint", operation["x-role"] ? `role ${operation["x-role"]}` : "no key needed"))),
    () => opened.value && detail(document, operation));
}

function operationsOf(document) {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter(method => item[method]).map(method => ({ method, path, operation: item[method] })));
}

const has = ({ method, path, operation }, words) => {
  const text = `${method} ${path} ${operation.summary} ${operation.operationId}`.toLowerCase();
  return words.every(word => text.includes(word));
};

function all(document, words) {
  const found = operationsOf(document).filter(one => has(one, words));
  const groups = document.tags.map(tag => ({ tag, list: found.filter(({ operation }) => operation.tags.includes(tag.name)) }));
  if (found.length === 0) return h("p.hint", "No operation is like this.");
  return groups.filter(({ list }) => list.length > 0).map(({ tag, list }) => h("section.card.stack",
    h("h2", tag.name), h("p.hint", tag.description), list.map(one => operationOf(document, one))));
}

export function reference(abort) {
  const words = signal([]), document = resource(signal => api.get("openapi.json", { signal }), abort);
  return [
    h("div.row.filters", h("input.input", {
      type: "search", name: "operation", "aria-label": "Operation", placeholder: "Path or words", autocomplete: "off",
      oninput: event => words.value = event.target.value.toLowerCase().split(/\s+/).filter(Boolean),
    }), h("span.spring"), h("a.button", { href: api.url("openapi.json"), download: "openapi.json" }, "OpenAPI document")),
    () => document.problem && problemBox(document.problem, { retry: document.reload }),
    () => document.value ? all(document.value, words.value) : !document.problem && loading(6),
  ];
}
