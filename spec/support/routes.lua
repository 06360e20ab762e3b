-- { method, pattern, role, scope } of each row of the doors' tables.
local DOORS = { "src/api/router.c", "src/openai/openai.c", "src/mcp/mcp.c" }

local function add_rows(rows, path)
  local file = assert(io.open(path))
  local text = file:read("a")
  file:close()
  local table_text = text:match("struct route [%w_]+%[%] = (%b{})")
  for row in (table_text or ""):gmatch("%b{}", 2) do
    local method, pattern, role, scope = row:match('"(%u+)", "([^"]+)", [^,]+, %b{}, ROLE_(%u+),%s+SCOPE_(%u+)')
    assert(method, "a row without a role and a scope: " .. row)
    rows[#rows + 1] = { method = method, pattern = pattern, role = role:lower(), scope = scope:lower() }
  end
end

return function()
  local rows = {}
  for _, path in ipairs(DOORS) do add_rows(rows, path) end
  assert(#rows > 0)
  return rows
end
