-- The nine providers as users know them, and a request to each that its vendor would take. `kind` is the one under which the
-- spec names it; `kinds` are all that its script serves, this one first.
local offline = require "author.offline"

local providers = {
  {
    id = "runpod", kind = "gpu", aliases = { "runpod.io" },
    secret = { api_key = "rpa_0123456789ABCDEF" },
    env = { "RUNPOD_API_KEY", "RUNPOD_TOKEN" },
    request = { endpoint_id = "abc123", input = { prompt = "a cat" } },
  },
  {
    id = "hf_inference_endpoints", kind = "gpu", aliases = { "hf", "huggingface" },
    secret = { api_token = "hf_0123456789ABCDEFGHIJ" },
    env = { "HF_API_TOKEN", "HUGGINGFACEHUB_API_TOKEN" },
    request = { url = "https://abc.us-east-1.aws.endpoints.huggingface.cloud", inputs = "a cat" },
  },
  {
    id = "replicate", kind = "gpu", aliases = { "replicate.com" },
    secret = { api_key = "r8_0123456789ABCDEFGHIJ" },
    env = { "REPLICATE_API_TOKEN", "REPLICATE_API_KEY" },
    request = { model = "black-forest-labs/flux-schnell", input = { prompt = "a cat" } },
  },
  {
    id = "modal", kind = "gpu", aliases = { "modal.com" },
    secret = { token_id = "wk-0123456789ABCDEF", token_secret = "ws-0123456789ABCDEF" },
    env = { "MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET" },
    request = { url = "https://me--app-render.modal.run", body = { prompt = "a cat" } },
  },
  {
    id = "stability", kind = "image", aliases = { "stability_ai", "stable" },
    secret = { api_key = "sk-0123456789ABCDEF" },
    env = { "STABILITY_API_KEY" },
    request = { prompt = "a cat" },
  },
  {
    id = "fal", kind = "image", aliases = { "fal.ai", "flux" },
    secret = { api_key = "0123abcd:0123456789ABCDEF" },
    env = { "FAL_API_KEY", "FAL_KEY" },
    request = { prompt = "a cat" },
  },
  {
    id = "runway", kind = "video", aliases = { "runwayml" },
    secret = { api_key = "key_0123456789ABCDEF" },
    env = { "RUNWAY_API_KEY", "RUNWAY_TOKEN" },
    request = { prompt = "a cat" },
  },
  {
    id = "pika", kind = "video", aliases = { "pika-labs" },
    secret = { api_key = "0123abcd:0123456789ABCDEF" },
    env = { "PIKA_API_KEY" },
    request = { prompt = "a cat" },
  },
  {
    id = "luma", kind = "video", aliases = { "luma-ai", "dream-machine" },
    secret = { api_key = "luma-0123456789ABCDEF" },
    env = { "LUMA_API_KEY" },
    request = { prompt = "a cat" },
  },
}

local FLAGS = {
  gpu = "enable_public_gpu", image = "enable_public_image_providers", video = "enable_public_video_providers",
}
local FOLDERS = { gpu = "/api/providers/gpu/public", image = "/api/providers/image", video = "/api/providers/video" }

for _, provider in ipairs(providers) do
  provider.flag = FLAGS[provider.kind]
  provider.folder = FOLDERS[provider.kind]
  provider.kinds = offline.load(("providers/%s_%s.lua"):format(provider.kind, provider.id)).kinds or { provider.kind }
  providers[provider.id] = provider
end

providers.FOLDERS, providers.FLAGS = FOLDERS, FLAGS

--- Does its script serve this kind?
function providers.serves(provider, kind)
  for _, one in ipairs(provider.kinds) do
    if one == kind then return true end
  end
  return false
end

--- The provider as this kind: its own, or another that it serves. Others than its own ask for a prompt only.
function providers.as(provider, kind)
  if kind == provider.kind then return provider end
  local other = { kind = kind, flag = FLAGS[kind], folder = FOLDERS[kind], request = { prompt = "a cat" } }
  return setmetatable(other, { __index = provider })
end

--- The path of a verb, for the id or another name.
function providers.path(provider, verb, name)
  return ("%s/%s/%s"):format(provider.folder, name or provider.id, verb)
end

--- The body of a submit: the given request, or the usual one, and further members beside it.
function providers.body(provider, request, members)
  local body = {}
  request = request or provider.request
  if provider.kind == "gpu" then
    body.job = request
  else
    for name, value in pairs(request) do body[name] = value end
  end
  for name, value in pairs(members or {}) do body[name] = value end
  return body
end

--- The provider's entry for the secrets file, or for a request's config: with a good value, or this one.
function providers.credentials(provider, value)
  local entry = {}
  for name, good in pairs(provider.secret) do entry[name] = value or good end
  return entry
end

--- Submits the usual request, which must be taken. Returns the answer's JSON.
function providers.submit(host, provider, request, members, headers)
  local answer = host:post(providers.path(provider, "submit"), providers.body(provider, request, members), headers)
  assert(answer.status == 200, answer.body)
  return answer.json
end

return providers
