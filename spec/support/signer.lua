-- Signs webhooks as the vendors do, with the openssl program: an implementation that is not the host's.
local mime = require "mime"

local signer = {}

local function unhex(text)
  return (text:gsub("..", function(pair) return string.char(tonumber(pair, 16)) end))
end
signer.unhex = unhex

function signer.hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

-- What a program makes of these bytes.
local function pipe_through(command, bytes)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
  local pipe = assert(io.popen(command .. " <" .. path))
  local out = pipe:read("a")
  assert(pipe:close(), command .. " failed")
  os.remove(path)
  return out
end

function signer.sha256(bytes)
  return pipe_through("openssl dgst -sha256 -binary", bytes)
end

function signer.hmac_sha256(key, bytes)
  return pipe_through("openssl dgst -sha256 -mac HMAC -macopt hexkey:" .. signer.hex(key) .. " -binary", bytes)
end

function signer.ed25519(seed, bytes)
  local key, message = os.tmpname(), os.tmpname()
  local der = unhex("302e020100300506032b657004220420") .. seed
  local file = assert(io.open(key, "wb"))
  file:write("-----BEGIN PRIVATE KEY-----\n" .. mime.b64(der) .. "\n-----END PRIVATE KEY-----\n")
  file:close()
  file = assert(io.open(message, "wb"))
  file:write(bytes)
  file:close()
  local pipe = assert(io.popen(("openssl pkeyutl -sign -inkey %s -rawin -in %s"):format(key, message)))
  local out = pipe:read("a")
  assert(pipe:close(), "openssl pkeyutl failed")
  os.remove(key)
  os.remove(message)
  return out
end

--- The signature of the Standard Webhooks specification, without its version.
function signer.standard(secret, id, timestamp, body)
  local key = mime.unb64((secret:gsub("^whsec_", "")))
  return mime.b64(signer.hmac_sha256(key, id .. "." .. timestamp .. "." .. body))
end

--- Headers of a delivery as Replicate sends them.
function signer.replicate(secret, body, id, timestamp)
  id, timestamp = id or "msg_" .. signer.hex(signer.sha256(body)):sub(1, 20), tostring(timestamp or os.time())
  return { ["webhook-id"] = id, ["webhook-timestamp"] = timestamp,
    ["webhook-signature"] = "v1," .. signer.standard(secret, id, timestamp, body) }
end

--- Headers of a delivery as fal sends them.
function signer.fal(seed, body, id, timestamp)
  timestamp = tostring(timestamp or os.time())
  local message = table.concat({ id, "github|1", timestamp, signer.hex(signer.sha256(body)) }, "\n")
  return { ["X-Fal-Webhook-Request-Id"] = id, ["X-Fal-Webhook-User-Id"] = "github|1", ["X-Fal-Webhook-Timestamp"] = timestamp,
    ["X-Fal-Webhook-Signature"] = signer.hex(signer.ed25519(seed, message)) }
end

return signer
