--- HTTP dates in their three forms (RFC 9110, 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT" (the API's proxy says UTC),
-- "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994". The name of the day is not compared. Pure.

local core = require "ampersand.core"

local MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
local SECONDS_IN_YEAR = 365.2425 * 86400

-- A year of two digits more than 50 years ahead of now belongs to the century before.
local function full_year(short, now)
  local this_year = 1970 + math.floor(now / SECONDS_IN_YEAR)
  local year = this_year - this_year % 100 + short
  return year > this_year + 50 and year - 100 or year
end

---@param text string
---@param now? number seconds since 1970, to place a year of two digits; default the clock
---@return number? seconds since 1970; nil when the text is not such a date
return function(text, now)
  local day, name, year, clock, zone = text:match "^%a%a%a, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d:%d%d:%d%d) (%u%u%u)$"
  if not day then
    day, name, year, clock, zone = text:match "^%a+day, (%d%d)%-(%a%a%a)%-(%d%d) (%d%d:%d%d:%d%d) (%u%u%u)$"
    year = day and full_year(tonumber(year), now or core.time())
  end
  if not day then
    name, day, clock, year = text:match "^%a%a%a (%a%a%a) ([ %d]%d) (%d%d:%d%d:%d%d) (%d%d%d%d)$"
    zone = "GMT"
  end
  local month = name and MONTHS:find(name, 1, true)
  if not month or month % 3 ~= 1 or (zone ~= "GMT" and zone ~= "UTC") then return nil end
  return (core.instant(("%04d-%02d-%02dT%sZ"):format(year, (month + 2) / 3, tonumber(day), clock)))
end
