local time = require "ampersand.time"

-- The calendar once more, the slow way: one day after the other.
local LENGTHS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function length_of(year, month)
  local leap = year % 400 == 0 or (year % 4 == 0 and year % 100 ~= 0)
  return month == 2 and leap and 29 or LENGTHS[month]
end

-- Calls visit(year, month, day, days since 1970), counted, not computed, for every day of fifty years and for the first
-- and last day of each month in every seventh of the others.
local function walk(first_year, last_year, visit)
  local days = 0
  for year = first_year, 1969 do
    for month = 1, 12 do days = days - length_of(year, month) end
  end
  for year = first_year, last_year do
    local every = year >= 1990 and year < 2040
    for month = 1, 12 do
      local last = length_of(year, month)
      for day = 1, (every or year % 7 == 0) and last or 0, every and 1 or last - 1 do
        visit(year, month, day, days + day - 1)
      end
      days = days + last
    end
  end
end

describe("time.parse and time.format", function()
  it("agree with a calendar counted day by day", function()
    local count = 0
    walk(0, 9999, function(year, month, day, days)
      local clock = (days * 7919) % 86400
      local hour, minute, second = math.floor(clock / 3600), math.floor(clock / 60) % 60, clock % 60
      local text = ("%04d-%02d-%02dT%02d:%02d:%02dZ"):format(year, month, day, hour, minute, second)
      local seconds, nanoseconds = time.parse(text)
      if seconds ~= days * 86400 + clock or nanoseconds ~= 0 then error(text .. " -> " .. tostring(seconds)) end
      if time.format(seconds, 0) ~= text then error(text .. " <- " .. time.format(seconds, 0)) end
      count = count + 1
    end)
    assert.is_true(count > 50000)
  end)

  it("agree with the C library", function()
    for i = 0, 4000 do
      local seconds = i * 1048573 + i % 7 -- 1970 to 2102
      local text = os.date("!%Y-%m-%dT%H:%M:%SZ", seconds)
      assert.equal(seconds, (time.parse(text)))
      assert.equal(text, time.format(seconds))
    end
  end)

  it("keep every nanosecond, in whole numbers", function()
    for text, nanoseconds in pairs {
      ["2023-07-13T21:34:44.816Z"] = 816000000, ["2024-04-22T18:55:28.456076Z"] = 456076000,
      ["2024-04-22T18:55:28.456076123Z"] = 456076123, ["2024-04-22T18:55:28.000000001Z"] = 1,
      ["2024-04-22T18:55:28.999999999Z"] = 999999999, ["1969-12-31T23:59:59.500Z"] = 500000000,
      ["0000-01-01T00:00:00.001Z"] = 1000000, ["9999-12-31T23:59:59.999999999Z"] = 999999999,
    } do
      local seconds, got = time.parse(text)
      assert.equal(nanoseconds, got)
      assert.equal(0, seconds % 1)
      assert.equal(text, time.format(seconds, got))
    end
  end)

  it("knows the seconds of the page's own times", function()
    assert.same({ 1689284084, 816000000 }, { time.parse "2023-07-13T21:34:44.816Z" })
    assert.same({ 1699334716, 0 }, { time.parse "2023-11-07T05:25:16Z" })
    assert.same({ -1, 500000000 }, { time.parse "1969-12-31T23:59:59.5Z" })
  end)

  it("take any number of digits and cut after the ninth", function()
    for digits = 1, 30 do
      local _, nanoseconds = time.parse("2024-01-01T00:00:00." .. ("9"):rep(digits) .. "Z")
      local expected = ("9"):rep(math.min(digits, 9)) .. ("0"):rep(9 - math.min(digits, 9))
      assert.equal(expected, ("%09d"):format(nanoseconds))
    end
  end)

  it("understand offsets, lower case and a blank", function()
    local same = (time.parse "2023-07-13T21:34:44Z")
    for _, text in ipairs {
      "2023-07-13T23:34:44+02:00", "2023-07-13T16:04:44-05:30", "2023-07-13t21:34:44z", "2023-07-13 21:34:44Z",
      "2023-07-14T21:33:44+23:59", "2023-07-12T21:35:44-23:59", "2023-07-13T21:34:44-00:00",
      "2023-07-13T21:34:44.0+00:00",
    } do
      assert.equal(same, (time.parse(text)))
    end
  end)

  it("read a leap second as the next day's first second, only where one can be", function()
    local midnight = (time.parse "2017-01-01T00:00:00Z")
    assert.same({ midnight, 250000000 }, { time.parse "2016-12-31T23:59:60.25Z" })
    assert.equal(midnight, (time.parse "2017-01-01T00:59:60+01:00"))
    assert.equal((time.parse "2015-07-01T00:00:00Z"), (time.parse "2015-06-30T23:59:60Z"))
    for _, text in ipairs { "2016-12-31T23:58:60Z", "2016-12-30T23:59:60Z", "2016-12-31T23:59:60+01:00",
      "2016-12-31T22:59:60Z", "2016-12-31T23:59:61Z", "2017-01-01T00:59:60Z" } do
      assert.is_nil((time.parse(text)))
    end
  end)

  it("refuse what is not a time, in words", function()
    for _, text in ipairs {
      "", "2023", "2023-07-13", "2023-07-13T21:34:44", "2023-07-13T21:34Z", "2023-7-13T21:34:44Z",
      "2023-13-01T00:00:00Z",
      "2023-00-01T00:00:00Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2023-04-31T00:00:00Z",
      "2023-01-00T00:00:00Z", "2023-01-01T24:00:00Z", "2023-01-01T00:60:00Z", "2023-01-01T00:00:00.Z",
      "2023-01-01T00:00:00,5Z", "2023-01-01T00:00:00+2:00", "2023-01-01T00:00:00+24:00", "2023-01-01T00:00:00+02:60",
      "2023-01-01T00:00:00+0200", "2023-01-01T00:00:00ZZ", " 2023-01-01T00:00:00Z", "2023-01-01T00:00:00Z\n",
      "2023-01-01T00:00:00\0Z", "+2023-01-01T00:00:00Z", "2023-01-01T-1:00:00Z",
    } do
      local seconds, message = time.parse(text)
      assert.is_nil(seconds, text)
      assert.truthy(message:find("not a time", 1, true))
    end
    for _, value in ipairs { 7, true, {} } do assert.is_nil((time.parse(value))) end
    assert.is_nil((time.parse(nil)))
    local _, message = time.parse(("9"):rep(10000))
    assert.is_true(#message < 200)
  end)
end)

describe("time.format", function()
  it("takes a clock's number, to the microsecond", function()
    assert.equal("2023-07-13T21:34:44.816Z", time.format(1689284084.816))
    assert.equal("1970-01-01T00:00:01Z", time.format(0.9999999))
    assert.equal("9999-12-31T23:59:59.500Z", time.format(253402300799.5))
    assert.equal("1969-12-31T23:59:59.750Z", time.format(-0.25))
    assert.equal("1970-01-01T00:00:00Z", time.format(0))
  end)

  it("writes as many digits as asked for and never rounds up", function()
    assert.equal("1970-01-01T00:00:00Z", time.format(0, 999999999, 0))
    assert.equal("1970-01-01T00:00:00.9Z", time.format(0, 999999999, 1))
    assert.equal("1970-01-01T00:00:00.000000000Z", time.format(0, 0, 9))
    assert.equal("1970-01-01T00:00:00.100000Z", time.format(0, 100000000, 6))
  end)

  it("refuses what it cannot write, at the caller's line", function()
    for _, arguments in ipairs {
      { "now" }, { 0 / 0 }, { 1 / 0 }, { 253402300800 }, { -62167219201 }, { 0.5, 1 }, { 0, -1 }, { 0, 1e9 },
      { 0, 0.5 },
      { 0, 0, 10 }, { 0, 0, 1.5 }, { 0, "1" },
    } do
      local ok, message = pcall(function() return time.format(arguments[1], arguments[2], arguments[3]), nil end)
      assert.is_false(ok)
      assert.truthy(message:find("time_spec.lua", 1, true), message)
    end
  end)
end)

describe("time.parse_http_date", function()
  it("reads the three forms, and UTC as the proxy writes it", function()
    for _, text in ipairs {
      "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
      "Sun, 06 Nov 1994 08:49:37 UTC",
    } do
      assert.equal(784111777, time.parse_http_date(text))
    end
    assert.equal((time.parse "2025-03-06T22:09:49Z"), time.parse_http_date "Thu, 06 Mar 2025 22:09:49 UTC")
  end)

  it("agrees with the C library", function()
    for i = 0, 1000 do
      local seconds = i * 4194301
      local date = os.date("!*t", seconds)
      local name = ("JanFebMarAprMayJunJulAugSepOctNovDec"):sub(date.month * 3 - 2, date.month * 3)
      local clock = os.date("!%H:%M:%S", seconds)
      assert.equal(seconds, time.parse_http_date(("Mon, %02d %s %d %s GMT"):format(date.day, name, date.year, clock)))
      assert.equal(seconds, time.parse_http_date(("Mon %s %2d %s %d"):format(name, date.day, clock, date.year)))
    end
  end)

  it("places a year of two digits within fifty years of now", function()
    local now = (time.parse "2026-11-23T00:00:00Z")
    local function year_of(text) return time.format(time.parse_http_date(text, now)):sub(1, 4) end
    assert.equal("2076", year_of "Monday, 06-Jan-76 00:00:00 GMT")
    assert.equal("1977", year_of "Monday, 06-Jan-77 00:00:00 GMT")
    assert.equal("2026", year_of "Monday, 06-Jan-26 00:00:00 GMT")
  end)

  it("refuses anything else", function()
    for _, text in ipairs {
      "", "120", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 6 Nov 1994 08:49:37 GMT",
      "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
      "Sun, 06 Nov 1994 08:49:37 GMT, x", "1994-11-06T08:49:37Z", "Sun, 06 Foo 1994 08:49:37 GMT",
    } do
      local seconds, message = time.parse_http_date(text)
      assert.is_nil(seconds)
      assert.is_string(message)
    end
    assert.is_nil((time.parse_http_date(nil)))
  end)
end)
