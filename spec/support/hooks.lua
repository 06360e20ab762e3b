-- What specs of outgoing webhooks have in common: a host that sends them, a receiver, and what came.
local cjson = require "cjson"
local signer = require "spec.support.signer"
local start = require("spec.support.host").start

local hooks = { path = "/api/modder/hooks/webhooks" }

function hooks.start_receiver(port)
  return start { program = "lua5.4", arguments = { "spec/support/receiver.lua", tostring(port or 0) },
    env = { LUA_PATH = os.getenv("LUA_PATH") or ";;" }, config = "" }
end

-- It ends by a signal only.
function hooks.stop_receiver(receiver)
  if not receiver.ended then receiver:kill() end
  receiver:remove()
end

function hooks.start_host(changes, options)
  options = options or {}
  options.config = { hooks = { enabled = true, allow_loopback = true } }
  for name, value in pairs(changes or {}) do options.config[name] = value end
  return start(options)
end

function hooks.url_of(receiver, path)
  return "http://127.0.0.1:" .. receiver.port .. (path or "/hook")
end

function hooks.register(host, url, changes)
  local body = { url = url }
  for name, value in pairs(changes or {}) do body[name] = value end
  local answer = host:post(hooks.path, body)
  assert(answer.status == 201, answer.body)
  return answer.json
end

function hooks.submit(host, prompt)
  return host:post("/api/providers/image/fal/submit", { prompt = prompt or "a lighthouse" }).json.job_id
end

function hooks.received(receiver)
  return receiver:get("/received").json.received
end

-- `seconds`: where being later is wrong.
function hooks.await(receiver, count, seconds)
  local function has_come()
    local list = hooks.received(receiver)
    return #list >= count and list or nil
  end
  return seconds and receiver:within(seconds, has_come) or receiver:eventually(has_come)
end

function hooks.show(host, id)
  return host:get(hooks.path .. "/" .. id).json.webhook
end

-- Compares with what openssl makes of it, and reads the event.
function hooks.verify(delivery, secret)
  local headers = delivery.headers
  local expected = "v1," .. signer.standard(secret, headers["webhook-id"], headers["webhook-timestamp"], delivery.body)
  local found = false
  for signature in headers["webhook-signature"]:gmatch("%S+") do found = found or signature == expected end
  assert(found, "the signature does not fit")
  assert(math.abs(os.time() - tonumber(headers["webhook-timestamp"])) < 60, "the time does not fit")
  return cjson.decode(delivery.body)
end

return hooks
