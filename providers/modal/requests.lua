-- requests.lua - what is sent to an app on Modal.

local check = require "check"
local fields = require "modal.fields"
local url_parts = require "url_parts"

local requests = {}

local given = check.is_given

-- One HTTP request ends after 150 s, with the result or with a 303: a shorter time-out could cut an answer that Modal gives
-- once.
requests.REQUEST_SECONDS = 170

-- Endpoints of LLMs are called with OpenAI's clients, which send one Authorization header; functions may need that one for
-- themselves, so they get the two headers.
local function auth_form(payload, url)
  if given(payload.auth) then return payload.auth end
  if url and not string.find(string.lower(url), ".modal.direct", 1, true) then return "headers" end
  local at = url_parts.parse(url or "")
  local is_llm = not at or (url_parts.host_matches(at.host, "*.modal.direct") and string.sub(at.path, 1, 4) == "/v1/")
  return is_llm and "bearer" or "headers"
end

--- Adds what proves who calls, and the session that a Server keeps to one container.
function requests.authorize(request, payload)
  local headers = given(payload.headers) and check.copy(payload.headers) or {}
  if given(payload.session_id) then headers["Modal-Session-ID"] = payload.session_id end
  local form = auth_form(payload, request.url)
  if form ~= "headers" then request.auth = form == "bearer" and "bearer" end
  request.headers = headers
  return request
end

-- Where an engine of the OpenAI kind takes this body, below the base URL that its clients are given.
local function openai_route(body)
  if type(body) ~= "table" then return nil end
  if given(body.messages) then return "/chat/completions" end
  if not given(body.model) then return nil end
  return given(body.prompt) and "/completions" or given(body.input) and "/embeddings" or nil
end

-- The address of an OpenAI API as its clients write it, made one that its engines serve.
local function engine_url(url, body)
  if not string.find(url, "/v1", 1, true) then return url end
  local at = url_parts.parse(url)
  local base = at and string.gsub(at.path, "/+$", "")
  local route = base and string.sub(base, -3) == "/v1" and openai_route(body)
  return route and at.origin .. base .. route .. (at.query and "?" .. at.query or "") or url
end

--- The request that makes the call; nil and a refusal when the job contradicts itself.
function requests.submit(payload, target)
  local method = given(payload.method) and string.upper(check.trim(payload.method)) or "POST"
  local body = given(payload.body) and payload.body or payload.input
  if method == "GET" and given(body) then
    return nil, fields.refusal("body", "cannot go with GET: give query, or another method", { "query" })
  end
  if target.url and not target.is_queue and method == "POST" then target.url = engine_url(target.url, body) end
  return requests.authorize({
    method = method, url = target.url, path = target.path, query = given(payload.query) and payload.query or nil,
    json = given(body) and body or nil, timeout = requests.REQUEST_SECONDS, free = false, -- a GET runs the function too
  }, payload)
end

return requests
