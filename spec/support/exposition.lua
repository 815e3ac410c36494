-- Reads Prometheus' text exposition format (version 0.0.4) by its grammar, and raises where a text breaks it.

local exposition = {}

local NAME = "[%a_:][%w_:]*"
local TYPES = { counter = true, gauge = true, histogram = true, summary = true, untyped = true }

local function complain(i, line, why)
  error(("line %d: %s: %s"):format(i, why, line), 0)
end

local function number_of(text)
  local named = { ["+Inf"] = math.huge, ["-Inf"] = -math.huge, NaN = 0 / 0 }
  return named[text] or (text:find "^[+-]?[%d.]" and tonumber(text))
end

-- 'a="b",c="d"' -> { a = "b", c = "d" }
local function read_labels(text, i, line)
  local labels, at = {}, 1
  while at <= #text do
    local name, from = text:match("^([%a_][%w_]*)=\"()", at)
    if not name then complain(i, line, "no label at column " .. at) end
    if labels[name] then complain(i, line, "the label " .. name .. " comes twice") end
    local value = {}
    at = from
    while true do
      local plain, mark, next_at = text:match('^([^\\"\n]*)([\\"])()', at)
      if not plain then complain(i, line, "a label's value does not end") end
      value[#value + 1], at = plain, next_at
      if mark == '"' then break end
      local escape = ({ ["\\"] = "\\", ['"'] = '"', n = "\n" })[text:sub(at, at)]
      if not escape then complain(i, line, "an unknown escape") end
      value[#value + 1], at = escape, at + 1
    end
    labels[name] = table.concat(value)
    if at <= #text then
      if text:sub(at, at) ~= "," then complain(i, line, "a comma is missing") end
      at = at + 1
    end
  end
  return labels
end

local function series_key(name, labels)
  local parts = { name }
  for label, value in pairs(labels) do parts[#parts + 1] = label .. "=" .. value end
  table.sort(parts, function(a, b) return a < b end)
  return table.concat(parts, "\0")
end

local SUFFIXES = { histogram = { _bucket = true, _sum = true, _count = true }, summary = { _sum = true, _count = true } }

local function belongs(family, name)
  if name == family.name then return family.type ~= "histogram" end
  local suffix = name:sub(1, #family.name) == family.name and name:sub(#family.name + 1)
  return suffix and (SUFFIXES[family.type] or {})[suffix] or false
end

local function check_histogram(family)
  local groups = {}
  for _, sample in ipairs(family.samples) do
    local rest = {}
    for label, value in pairs(sample.labels) do if label ~= "le" then rest[label] = value end end
    local key = series_key("", rest)
    groups[key] = groups[key] or { buckets = {} }
    local part = sample.name:sub(#family.name + 2)
    if part == "bucket" then table.insert(groups[key].buckets, sample) else groups[key][part] = sample.value end
  end
  for key, group in pairs(groups) do
    local bound, count = -math.huge, 0
    for _, bucket in ipairs(group.buckets) do
      local le = assert(number_of(bucket.labels.le), key)
      assert(le > bound and bucket.value >= count, family.name .. ": buckets do not rise")
      bound, count = le, bucket.value
    end
    assert(bound == math.huge, family.name .. ": +Inf is missing")
    assert(group.count == count and group.sum, family.name .. ": _count and _sum do not fit the buckets")
  end
end

--- Reads a text; raises what is wrong with it.
---@param text string
---@return table families by name: { name, type, help, samples = { { name, labels, value } } }
function exposition.read(text)
  local families, family, seen, i = {}, nil, {}, 0
  if text ~= "" and text:sub(-1) ~= "\n" then error("the last line does not end", 0) end
  for line in text:gmatch "([^\n]*)\n" do
    i = i + 1
    local word, name, rest = line:match("^# (%u+) (" .. NAME .. ") (.*)$")
    if word == "HELP" or word == "TYPE" then
      if not family or family.name ~= name then
        if families[name] then complain(i, line, "the family is not in one group") end
        family = { name = name, samples = {} }
        families[name] = family
      end
      local field = word:lower()
      if family[field] or #family.samples > 0 then complain(i, line, "comes too late or twice") end
      if field == "type" and not TYPES[rest] then complain(i, line, "an unknown type") end
      family[field] = rest
    elseif line:sub(1, 1) ~= "#" and line ~= "" then
      local labels, value
      name, labels, value = line:match("^(" .. NAME .. ")(%b{}) (%S+)$")
      if not name then name, value = line:match("^(" .. NAME .. ") (%S+)$") end
      if labels and not line:find('^[%w_:]+{.*} %S+$') then complain(i, line, "braces") end
      if labels then labels = line:match "^[%w_:]+{(.*)} %S+$" end
      if not name or not number_of(value) then complain(i, line, "not a sample") end
      if not family or not belongs(family, name) then complain(i, line, "a sample outside its family") end
      local each = { name = name, labels = read_labels(labels or "", i, line), value = number_of(value) }
      local key = series_key(name, each.labels)
      if seen[key] then complain(i, line, "the series comes twice") end
      seen[key] = true
      table.insert(family.samples, each)
    end
  end
  for _, each in pairs(families) do
    if not each.type then error(each.name .. " has no type", 0) end
    if each.type == "histogram" then check_histogram(each) end
    for _, one in ipairs(each.samples) do
      if each.type == "counter" and not (one.value >= 0 and one.name:find "_total$") then
        error(one.name .. " is not a counter", 0)
      end
    end
  end
  return families
end

--- The value of a series, or nil.
function exposition.value(families, name, labels)
  for _, family in pairs(families) do
    for _, each in ipairs(family.samples) do
      if each.name == name and series_key("", each.labels) == series_key("", labels or {}) then return each.value end
    end
  end
end

return exposition
