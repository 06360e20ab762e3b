-- names.lua - the names of an object, sorted, as a set, or those that a set lacks.

local ipairs, next, pairs, sort = ipairs, next, pairs, table.sort

local names = {}

local FEW = 8 -- names, that are put in their places one by one: to call table.sort costs more

local function sort_few(list, count)
  for index = 2, count do
    local name, at = list[index], index
    while at > 1 and list[at - 1] > name do
      list[at] = list[at - 1]
      at = at - 1
    end
    list[at] = name
  end
end

--- The names of an object in alphabetical order: scripts must not depend on the order of `pairs`.
function names.sorted(object)
  local list, count = {}, 0
  for name in next, object do
    count = count + 1
    list[count] = name
  end
  if count > FEW then sort(list) else sort_few(list, count) end
  return list
end

--- The names of an object that are not in a set, in alphabetical order, or nil if there are none.
function names.unknown(object, known)
  local list
  for name in next, object do
    if not known[name] then
      list = list or {}
      list[#list + 1] = name
    end
  end
  if list then sort(list) end
  return list
end

--- Whether an object has any of the names of a set.
function names.has_any(object, set)
  for name in next, object do
    if set[name] then return true end
  end
  return false
end

--- A set of the items of a list.
function names.set(list)
  local set = {}
  for _, item in ipairs(list) do set[item] = true end
  return set
end

--- A set of the words of a text.
function names.words(text)
  local set = {}
  for word in string.gmatch(text, "%S+") do set[word] = true end
  return set
end

--- A copy of a set with the items of further sets in it.
function names.union(...)
  local union = {}
  for _, set in ipairs { ... } do
    for name in pairs(set) do union[name] = true end
  end
  return union
end

return names
