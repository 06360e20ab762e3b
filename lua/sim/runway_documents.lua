-- runway_documents.lua - a part of Runway's own OpenAPI file (2026-08): one path and two of its variants, prose left out.
--
-- Data only; lua/sim/runway_directory.lua serves it.
local cjson = require "cjson"

return {
  -- openapi.json of github.com/runwayml/openapi
  openapi = cjson.decode [==[{
"openapi": "3.1.0",
"info": {"title": "RunwayML API", "version": "2024-11-06"},
"servers": [{"url": "https://api.dev.runwayml.com"}],
"paths": {"/v1/image_to_video": {"post": {"parameters": [{"$ref": "#/components/parameters/X-Runway-Version"}],
"requestBody": {"content": {"application/json": {"schema": {"oneOf": [{"title": "gen4.5", "type": "object",
"properties": {"promptText": {"type": "string", "minLength": 1, "maxLength": 1000}, "promptImage": {"anyOf": [{
"anyOf": [{"type": "string", "minLength": 13, "maxLength": 2048, "pattern": "^https:\\/\\/.*"}, {"type": "string",
"minLength": 13, "maxLength": 5000, "pattern": "^runway:\\/\\/.*"}, {"type": "string", "minLength": 13,
"maxLength": 5242880, "pattern": "^data:image\\/.*"}]}, {"title": "PromptImages", "minItems": 1, "maxItems": 1,
"type": "array", "items": {"title": "PromptImage", "x-stainless-variantName": "PromptImage", "type": "object",
"properties": {"uri": {"anyOf": [{"type": "string", "minLength": 13, "maxLength": 2048, "pattern": "^https:\\/\\/.*"},
{"type": "string", "minLength": 13, "maxLength": 5000, "pattern": "^runway:\\/\\/.*"}, {"type": "string",
"minLength": 13, "maxLength": 5242880, "pattern": "^data:image\\/.*"}]}, "position": {"type": "string",
"const": "first"}}, "required": ["uri", "position"]}}]}, "seed": {"type": "integer", "minimum": 0,
"maximum": 4294967295}, "ratio": {"type": "string", "enum": ["1280:720", "720:1280", "1104:832", "960:960",
"832:1104", "1584:672"]}, "duration": {"type": "integer", "minimum": 2, "maximum": 10}, "contentModeration": {
"type": "object", "properties": {"publicFigureThreshold": {"type": "string", "enum": ["auto", "low"]}},
"additionalProperties": false}, "outputFormat": {"type": "string", "enum": ["mp4", "prores", "png_sequence"]},
"proresProfile": {"type": "string", "enum": ["422", "4444", "422 Proxy", "422 LT", "422 HQ", "4444 XQ"]}, "model": {
"type": "string", "const": "gen4.5"}}, "required": ["promptText", "promptImage", "ratio", "duration", "model"]}, {
"title": "gen4_turbo", "type": "object", "properties": {"promptText": {"type": "string", "minLength": 1,
"maxLength": 1000}, "promptImage": {"anyOf": [{"anyOf": [{"type": "string", "minLength": 13, "maxLength": 2048,
"pattern": "^https:\\/\\/.*"}, {"type": "string", "minLength": 13, "maxLength": 5000, "pattern": "^runway:\\/\\/.*"},
{"type": "string", "minLength": 13, "maxLength": 5242880, "pattern": "^data:image\\/.*"}]}, {"title": "PromptImages",
"minItems": 1, "maxItems": 1, "type": "array", "items": {"title": "PromptImage",
"x-stainless-variantName": "PromptImage", "type": "object", "properties": {"uri": {"anyOf": [{"type": "string",
"minLength": 13, "maxLength": 2048, "pattern": "^https:\\/\\/.*"}, {"type": "string", "minLength": 13,
"maxLength": 5000, "pattern": "^runway:\\/\\/.*"}, {"type": "string", "minLength": 13, "maxLength": 5242880,
"pattern": "^data:image\\/.*"}]}, "position": {"type": "string", "const": "first"}}, "required": ["uri",
"position"]}}]}, "seed": {"type": "integer", "minimum": 0, "maximum": 4294967295}, "ratio": {"type": "string",
"enum": ["1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672"]}, "duration": {"type": "integer",
"minimum": 2, "maximum": 10}, "contentModeration": {"type": "object", "properties": {"publicFigureThreshold": {
"type": "string", "enum": ["auto", "low"]}}, "additionalProperties": false}, "model": {"type": "string",
"const": "gen4_turbo"}}, "required": ["promptImage", "ratio", "model"]}], "discriminator": {
"propertyName": "model"}}}}}}}}
}]==],
}
