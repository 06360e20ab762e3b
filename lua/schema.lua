-- schema.lua - JSON Schemas as vendors publish them: read into one form, and what a request has to do with them.
--
-- `normalize` turns a vendor's schema, whatever its draft and dialect, into JSON Schema 2020-12 without references; `check`
-- compares a value with that. Both bound what they are given: a vendor's document is foreign data (docs/provider-scripts.md,
-- schemas). The same words describe our own rows (model_inputs.lua), so one reader checks both.

local check = require "schema.check"
local media = require "schema.media"
local normalize = require "schema.normalize"

return {
  --- The normal form of a schema, and a list of warnings; nil and why, if it is no schema or larger than we take. `root` is
  -- where its references begin (default: the schema itself).
  normalize = normalize.schema,
  --- Compares a value with a normal form: what to send (the value, or a copy with what was changed without loss), a list of
  -- complaints { path =, rule =, message =, allowed =, suggestion = } and a list of notes { path =, message = }; both may be
  -- empty. Options: additional = "refuse" (unknown names; default "warn"), utf16 = true (lengths count UTF-16 units).
  check = check.value,
  --- The files among the inputs of a normal form: { ["image_url"] = "image", ["loras[].path"] = "file" }.
  files = media.files,
  --- What a model makes, by the schema of its output: a list of { path =, kind =, many = }.
  outputs = media.outputs,
  --- The names of the inputs of a normal form that change its price in ways that no unit price tells.
  drivers = media.drivers,
}
