-- A provider that serves images and videos, for specs: what its answers show tells under which kind its script was called.
local script_text = require "spec.support.script_text"

local two_kinds = {}

two_kinds.FOLDERS = { gpu = "/api/providers/gpu/public", image = "/api/providers/image", video = "/api/providers/video" }
two_kinds.FLAGS = {
  gpu = "enable_public_gpu", image = "enable_public_image_providers", video = "enable_public_video_providers",
}
two_kinds.UMBRELLA = "enable_public_image_video"

local MODES = [[{
  { id = "picture", default = true }, { id = "film", kind = "video" }, { id = "poster", kind = "image" },
  { id = "clip", kind = "video", default = true } }]]

--- The script's text; `fields` go over its manifest's.
function two_kinds.script(id, fields)
  local all = { kinds = "{ 'image', 'video' }", modes = MODES, credentials = "{ key = { secret = { 'key' } } }",
    auth = "{ ['Authorization'] = 'Bearer {key}' }" }
  for name, text in pairs(fields or {}) do all[name] = text end
  return script_text.provider(id, {
    fields = all,
    prepare = "return { prompt = request.prompt, kind = ctx.kind }",
    estimate = "return { expected = 0.04, unit = ctx.kind, quantity = 1, source = 'x', as_of = '2026-11-23' }",
    submit = "return ctx.request { path = '/' .. ctx.kind, json = { kind = payload.kind } }",
    health = "return ctx.request { path = '/health/' .. ctx.kind }",
    poll = "return ctx.request { path = '/' .. ctx.kind .. '/' .. job.id }",
  })
end

function two_kinds.path(kind, id, verb)
  return ("%s/%s/%s"):format(two_kinds.FOLDERS[kind], id, verb)
end

--- Is a kind's usual flag on with these features?
function two_kinds.is_open(features, kind)
  return features[two_kinds.FLAGS[kind]] or (kind ~= "gpu" and features[two_kinds.UMBRELLA]) or false
end

return two_kinds
