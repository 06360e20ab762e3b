-- multipart/form-data as OpenAI's SDKs write it: numbers and booleans are texts, objects are name[member], lists are name[].
local form = {}

--- The bytes of parts { name =, value = } or { name =, data =, filename =, content_type = }, and the Content-Type.
function form.write(parts, boundary)
  boundary = boundary or ("----spec" .. tostring(math.random(1 << 40)))
  local out = {}
  for _, part in ipairs(parts) do
    local filename = part.filename and ('; filename="%s"'):format(part.filename) or ""
    local content_type = part.content_type and ("Content-Type: %s\r\n"):format(part.content_type) or ""
    out[#out + 1] = ('--%s\r\nContent-Disposition: form-data; name="%s"%s\r\n%s\r\n%s\r\n'):format(
      boundary, part.name, filename, content_type, part.data or part.value)
  end
  out[#out + 1] = "--" .. boundary .. "--\r\n"
  return table.concat(out), "multipart/form-data; boundary=" .. boundary
end

local function add(parts, name, value)
  if type(value) ~= "table" then
    parts[#parts + 1] = { name = name, value = tostring(value) }
  elseif value[1] ~= nil then
    for _, item in ipairs(value) do add(parts, name .. "[]", item) end
  else
    for member, item in pairs(value) do add(parts, name .. "[" .. member .. "]", item) end
  end
end

--- A JSON object as parts; its files are texts.
function form.parts(object)
  local parts = {}
  for name, value in pairs(object) do add(parts, name, value) end
  return parts
end

--- POSTs parts to a host.
function form.post(host, path, parts, headers)
  local body, content_type = form.write(parts)
  local all = { ["Content-Type"] = content_type }
  for name, value in pairs(headers or {}) do all[name] = value end
  return host:request("POST", path, body, all)
end

return form
