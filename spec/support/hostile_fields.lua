-- The fields that providers know, and what they take; a spec sends everything else. Add a field, not code.
--   [provider] = { what = { "field", "parameters.field", ... } }: what is text, number, boolean, object or array
local MEDIA = { text = { "prompt", "mode", "model" }, object = { "parameters" } }

local fields = {
  runpod = {
    text = { "endpoint_id", "webhook", "operation", "pod.name", "pod.image", "pod.cloud", "pod.gpu.id" },
    number = { "gpu_count", "max_runtime_minutes", "policy.executionTimeout", "policy.ttl", "pod.gpu.count" },
    boolean = { "policy.lowPriority" },
    object = { "policy", "pod", "pod.gpu" },
  },
  hf_inference_endpoints = {
    text = { "url", "path", "endpoint", "action", "namespace", "name" },
    number = { "scale_up_timeout", "timeout_seconds", "max_runtime_minutes", "hours" },
    object = { "parameters" },
  },
  replicate = {
    text = { "model", "version", "deployment", "webhook", "hardware" },
    number = { "seconds" },
    object = { "input" },
    array = { "webhook_events_filter" },
  },
  modal = {
    text = { "url", "path", "function", "app", "method", "auth", "submit_url", "result_url" },
    number = { "max_runtime_minutes", "seconds" },
    object = { "headers", "query" },
  },
  stability = {
    number = { "parameters.samples", "parameters.steps", "parameters.seed", "parameters.width", "parameters.height" },
    text = { "negative_prompt", "parameters.style_preset", "parameters.aspect_ratio" },
  },
  fal = {
    number = { "parameters.num_images", "parameters.steps", "parameters.seed", "parameters.guidance_scale", "parameters.width" },
    text = { "negative_prompt", "webhook", "gpu", "route" },
  },
  runway = {
    number = { "parameters.duration", "parameters.fps", "parameters.seed" },
    text = { "parameters.resolution", "parameters.aspect_ratio" },
  },
  pika = {
    number = { "parameters.duration", "parameters.fps", "parameters.seed" },
    text = { "parameters.resolution", "parameters.aspect_ratio", "route" },
  },
  luma = {
    number = { "parameters.duration", "parameters.fps" },
    text = { "parameters.resolution", "parameters.aspect_ratio" },
  },
}

for _, id in ipairs { "stability", "fal", "runway", "pika", "luma" } do
  for what, names in pairs(MEDIA) do
    fields[id][what] = fields[id][what] or {}
    for _, name in ipairs(names) do table.insert(fields[id][what], name) end
  end
end

-- JSON texts that are not what is meant. A number may be written as text, so text that is no number is sent for one.
fields.WRONG = {
  text = { "5", "-1.5e300", "true", "{}", "{\"a\":{}}", "[]", "[[1],2]" },
  number = { "\"evilmark\"", "true", "{}", "[]", "[1]", "\"1e999\"", "\"nan\"", "\"0x10g\"" },
  boolean = { "\"evilmark\"", "5", "{}", "[]" },
  object = { "\"evilmark\"", "5", "false", "[1]" },
  array = { "\"evilmark\"", "5", "true", "{\"a\":1}" },
}

return fields
