--- Times as the API writes them (RFC 3339) and as HTTP writes them (RFC 9110, 5.6.7). Filters and this module read
-- them with one function of the core. No time zone of the machine is involved.
--
-- An instant is two whole numbers: seconds since 1970-01-01T00:00:00Z and nanoseconds within the second, so
-- nothing is lost to rounding on any Lua. Before 1970 the seconds are negative and the nanoseconds still count
-- forwards.
--
-- Leap seconds: Unix time has no room for them. `23:59:60` (UTC, at the end of a month, where they are inserted)
-- is read as the first second of the next day; any other `:60` is refused. `format` never writes one.

local core = require "ampersand.core"
local http_date = require "ampersand.util.http_date"

local time = {}

local floor = math.floor

local DAY = 86400
local FIRST, LAST = -62167219200, 253402300799 -- 0000-01-01T00:00:00Z, 9999-12-31T23:59:59Z

local function date_from_days(days)
  local n = days + 719468 -- since 0000-03-01
  local era = floor(n / 146097)
  local of_era = n - era * 146097
  local year = floor((of_era - floor(of_era / 1460) + floor(of_era / 36524) - floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + floor(year / 4) - floor(year / 100))
  local shifted = floor((5 * of_year + 2) / 153)
  local day = of_year - floor((153 * shifted + 2) / 5) + 1
  local month = shifted < 10 and shifted + 3 or shifted - 9
  return year + era * 400 + (month <= 2 and 1 or 0), month, day
end

local function refuse(text, why)
  text = tostring(text)
  if #text > 40 then text = text:sub(1, 40) .. "..." end
  return nil, ("not a time: %q (%s)"):format(text, why)
end

--- Reads an RFC 3339 time, for example "2023-07-13T21:34:44.816Z" or "2023-07-13t23:34:44+02:00".
-- Any number of fractional digits; those beyond the ninth are cut off.
---@param text string
---@return integer|nil seconds since 1970 (whole, negative before)
---@return integer|string nanoseconds 0 to 999999999; a message when the first result is nil
function time.parse(text)
  if type(text) ~= "string" then return refuse(text, "a string was expected") end
  local seconds, nanoseconds = core.instant(text)
  if not seconds then return refuse(text, nanoseconds) end
  return seconds, nanoseconds
end

-- "" for no nanoseconds, else three, six or nine digits, or as many as asked for (cut, not rounded, so that a
-- formatted time never lies in the future).
local function fraction(nanoseconds, digits)
  local all = ("%09d"):format(nanoseconds)
  if not digits then
    digits = nanoseconds == 0 and 0 or nanoseconds % 1000000 == 0 and 3 or nanoseconds % 1000 == 0 and 6 or 9
  end
  return digits > 0 and "." .. all:sub(1, digits) or ""
end

-- A number with a fraction, such as a clock gives, holds microseconds today and no more.
local function split_number(seconds)
  local whole = floor(seconds)
  local micro = floor((seconds - whole) * 1000000 + 0.5)
  if micro == 1000000 then whole, micro = whole + 1, 0 end
  return whole, micro * 1000
end

local function whole_within(value, low, high)
  return type(value) == "number" and value == floor(value) and value >= low and value <= high
end

--- Writes an instant as RFC 3339 in UTC: what `parse` returns goes back in unchanged.
---@param seconds number since 1970; a fraction is rounded to microseconds when `nanoseconds` is not given
---@param nanoseconds? integer 0 to 999999999
---@param digits? integer fractional digits, 0 to 9; without it none, or three, six or nine, as many as are needed
---@return string text such as "2023-07-13T21:34:44.816Z"; raises outside the years 0 to 9999
function time.format(seconds, nanoseconds, digits)
  if type(seconds) == "number" and nanoseconds == nil then seconds, nanoseconds = split_number(seconds) end
  if not whole_within(seconds, FIRST, LAST) then
    error("time.format: seconds must be a number within the years 0 to 9999, an integer if nanoseconds are given", 2)
  end
  if not whole_within(nanoseconds, 0, 999999999) then
    error("time.format: nanoseconds must be a whole number from 0 to 999999999", 2)
  end
  if digits ~= nil and not whole_within(digits, 0, 9) then
    error("time.format: digits must be a whole number from 0 to 9", 2)
  end
  local days = floor(seconds / DAY)
  local rest = floor(seconds - days * DAY)
  local year, month, day = date_from_days(days)
  return ("%04d-%02d-%02dT%02d:%02d:%02d%sZ"):format(year, month, day, floor(rest / 3600), floor(rest / 60) % 60,
    rest % 60, fraction(nanoseconds, digits))
end

--- Reads an HTTP date in any of its three forms: "Sun, 06 Nov 1994 08:49:37 GMT" (the proxy of the API says UTC),
-- "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994". The name of the day is not compared.
---@param text string
---@param now? number seconds since 1970, to place a year of two digits; default the clock
---@return integer|nil seconds since 1970
---@return string|nil message when the first result is nil
function time.parse_http_date(text, now)
  if type(text) ~= "string" then return refuse(text, "a string was expected") end
  local seconds = http_date(text, now)
  if not seconds then return refuse(text, "expected an HTTP date, such as Sun, 06 Nov 1994 08:49:37 GMT") end
  return seconds
end

return time
