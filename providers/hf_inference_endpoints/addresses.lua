-- addresses.lua - where endpoints of Hugging Face are, in the management API and by their own URLs.

local answers = require "hf_inference_endpoints.answers"
local url_parts = require "url_parts"

local addresses = {
  API = "https://api.endpoints.huggingface.cloud/v2",
  ENDPOINT_HOSTS = "*.endpoints.huggingface.cloud",
  WHOAMI = "https://huggingface.co/api/whoami-v2",
}

local is_endpoint_host = url_parts.host_matcher(addresses.ENDPOINT_HOSTS)

local API_HOST = "api.endpoints.huggingface.cloud"

--- The path of an endpoint in the management API.
function addresses.endpoint_path(namespace, name)
  return "/endpoint/" .. url_parts.segment(namespace) .. "/" .. url_parts.segment(name)
end

--- The namespace of a job, or nil and the result of the failed look-up. The vendor's own clients take the token's account too.
function addresses.find_namespace(job, ctx)
  if job.namespace then return job.namespace end
  ctx.note "no namespace is given: it is the account of the token, which is looked up first"
  local response, failure = ctx.request {
    url = addresses.WHOAMI, mock = { status = 200, headers = {}, json = { name = "account-of-the-token" } },
  }
  if not answers.is_success(response) then return nil, answers.not_accepted(response, failure) end
  local account = type(response.json) == "table" and response.json.name
  if type(account) == "string" and account ~= "" then return account end
  return nil, { status = "error", error = { code = "vendor", message = "the account of the token has no name", billed = false } }
end

--- A URL that the credential may go to, taken apart: an endpoint of the vendor, and not its management API.
function addresses.check_endpoint_url(url)
  local parts, problem = url_parts.parse(url)
  if not parts then return nil, problem end
  if parts.scheme ~= "https" or parts.host == API_HOST or not is_endpoint_host(parts.host) then
    return nil, "must be https and below endpoints.huggingface.cloud"
  end
  return parts
end

return addresses
