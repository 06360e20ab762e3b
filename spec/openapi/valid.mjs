// Are these files valid OpenAPI 3.1 documents, with every $ref resolved and no operationId twice? One line for each that is not.
//
//   node valid.mjs FILE...
import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";

function* refsOf(value) {
  if (value === null || typeof value !== "object") return;
  if (typeof value.$ref === "string") yield value.$ref;
  for (const member of Object.values(value)) yield* refsOf(member);
}

function resolve(document, ref) {
  return ref.slice(2).split("/").reduce((at, name) => at?.[name.replaceAll("~1", "/").replaceAll("~0", "~")], document);
}

for (const file of process.argv.slice(2)) {
  const document = JSON.parse(readFileSync(file, "utf8"));
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  if (!valid) console.log(`${file}: ${JSON.stringify(errors).slice(0, 1000)}`);
  for (const ref of new Set(refsOf({ paths: document.paths, components: document.components }))) {
    if (ref.startsWith("#/components/") && resolve(document, ref) === undefined) console.log(`${file}: nothing is at ${ref}`);
  }
  const ids = Object.values(document.paths).flatMap((item) => Object.values(item)).map((operation) => operation.operationId);
  for (const id of ids.filter((id, i) => ids.indexOf(id) !== i)) console.log(`${file}: operationId ${id} is there twice`);
}
