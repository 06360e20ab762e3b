-- { method, pattern, role, scope } of each row of the router's table.
return function()
  local file = assert(io.open("src/api/router.c"))
  local text = file:read("a")
  file:close()
  local rows = {}
  local table_text = assert(text:match("struct route routes%[%] = (%b{})"))
  for row in table_text:gmatch("%b{}", 2) do
    local method, pattern, role, scope = row:match('"(%u+)", "([^"]+)", [^,]+, %b{}, ROLE_(%u+),%s+SCOPE_(%u+)')
    assert(method, "a row without a role and a scope: " .. row)
    rows[#rows + 1] = { method = method, pattern = pattern, role = role:lower(), scope = scope:lower() }
  end
  return rows
end
