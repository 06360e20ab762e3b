-- usd.lua - rounds computed prices, so that three times 0.3 is 0.9.

local floor = math.floor

local usd = {}

--- Rounded to a millionth of a dollar.
function usd.to_micros(amount)
  return floor(amount * 1e6 + 0.5) / 1e6
end

--- Rounded to a cent.
function usd.to_cents(amount)
  return floor(amount * 100 + 0.5) / 100
end

return usd
