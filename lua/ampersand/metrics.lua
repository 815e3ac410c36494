--- Metrics of a client's requests, in Prometheus' text exposition format.
--
--     local metrics = ampersand.metrics.new()
--     local client = ampersand.new { on_event = metrics.on_event }
--     …
--     io.write(metrics:text())
--
-- In nginx the workers share them: `lua_shared_dict metrics 1m;`, `metrics.new { shared = "metrics" }`, and a location
-- with `content_by_lua_block { metrics:serve() }`. The dictionary must hold nothing else.

local argcheck = require "ampersand.util.argcheck"
local core = require "ampersand.core"

local metrics = {}

---@class ampersand.Metrics
local Metrics = {}
Metrics.__index = Metrics

local REQUESTS, RETRIES = "ampersand_requests_total", "ampersand_retries_total"
local BYTES, SECONDS = "ampersand_response_bytes_total", "ampersand_request_duration_seconds"
local LOST = "ampersand_metrics_lost_total"

local FAMILIES = {
  { name = REQUESTS, type = "counter", help = "Requests sent, by operation, HTTP status and kind of error." },
  { name = RETRIES, type = "counter", help = "Requests that repeated an earlier one, by operation." },
  { name = BYTES, type = "counter",
    help = "Bytes of response bodies, after decompression (up to the first element of iterated lists), by operation." },
  { name = SECONDS, type = "histogram",
    help = "Time from the request to the end of the body (the first element of iterated lists), by operation." },
  { name = LOST, type = "counter", help = "Updates lost because the shared memory was full." },
}

local BUCKETS = { 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60 }

-- Writing -----------------------------------------------------------------------------------------------------------

local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

local function number_text(value)
  if value ~= value then return "NaN" end
  if value == math.huge or value == -math.huge then return value > 0 and "+Inf" or "-Inf" end
  return core.encode(value) -- whatever the locale
end

-- Text that any reader takes: bytes that are not UTF-8 become question marks.
local function utf8_text(text)
  text = tostring(text)
  return core.encode(text) and text or (text:gsub("[^\32-\126\n]", "?"))
end

-- { operation = "getProject" } -> 'operation="getProject"', by name; labels without a text are left out.
local function label_text(labels)
  local parts = {}
  for name, value in pairs(labels) do
    local text = utf8_text(value):gsub('[\\"\n]', ESCAPES)
    if text ~= "" then parts[#parts + 1] = ('%s="%s"'):format(name, text) end
  end
  table.sort(parts)
  return table.concat(parts, ",")
end

local function sample(lines, name, labels, value)
  lines[#lines + 1] = ("%s%s %s"):format(name, labels ~= "" and "{" .. labels .. "}" or "", number_text(value))
end

local function write_head(lines, family)
  local help = utf8_text(family.help):gsub("[\\\n]", ESCAPES)
  lines[#lines + 1] = ("# HELP %s %s"):format(family.name, help)
  lines[#lines + 1] = ("# TYPE %s %s"):format(family.name, family.type)
end

-- The buckets of a histogram are kept apart and written as sums.
local function write_histogram(lines, name, labels, values, bounds)
  local count, comma = 0, labels ~= "" and "," or ""
  for i = 1, #bounds + 1 do
    count = count + (values[i] or 0)
    sample(lines, name .. "_bucket", ('%s%sle="%s"'):format(labels, comma, number_text(bounds[i] or math.huge)), count)
  end
  sample(lines, name .. "_sum", labels, values.sum or 0)
  sample(lines, name .. "_count", labels, count)
end

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

-- Keeping -----------------------------------------------------------------------------------------------------------
-- A key is "family|part|labels"; the part is a bucket's number or "sum" in a histogram, else empty. `dict` is nginx's
-- shared memory, or a table of this process with those of its methods that are used.

local Memory = {}
Memory.__index = Memory

function Memory:incr(key, n)
  self.values[key] = (self.values[key] or 0) + n
  return true
end

function Memory:get_keys() return sorted_keys(self.values) end
function Memory:get(key) return self.values[key] end

local function dict_of(shared)
  if not shared then return setmetatable({ values = {} }, Memory) end
  local ngx = rawget(_G, "ngx")
  local dict = ngx and ngx.shared and ngx.shared[shared]
  if not dict then
    argcheck.raise(("metrics.new: nginx's configuration has no `lua_shared_dict %s 1m;`"):format(shared))
  end
  dict:safe_add(LOST .. "||", 0)
  return dict
end

-- nginx would make room by dropping other counters: `safe_add` does not.
local function add(self, n, family, part, labels)
  local key, dict = ("%s|%s|%s"):format(family, part, labels), self.dict
  if dict:incr(key, n) then return end
  local ok, why = dict:safe_add(key, n)
  if not ok and not (why == "exists" and dict:incr(key, n)) then dict:incr(LOST .. "||", 1) end
end

-- The face ----------------------------------------------------------------------------------------------------------

local function observe(self, event)
  local operation = label_text { operation = event.operation }
  local labels = label_text {
    operation = event.operation, status = event.status and ("%.0f"):format(event.status) or "", kind = event.kind or "",
  }
  local bucket, seconds = 1, event.seconds or 0
  while self.buckets[bucket] and seconds > self.buckets[bucket] do bucket = bucket + 1 end
  add(self, 1, REQUESTS, "", labels)
  if (event.attempt or 1) > 1 then add(self, 1, RETRIES, "", operation) end
  add(self, event.bytes or 0, BYTES, "", operation)
  add(self, 1, SECONDS, bucket, operation)
  add(self, seconds, SECONDS, "sum", operation)
end

local NEW_OPTIONS = { shared = "string", buckets = "table" }

local function check_buckets(buckets)
  for i, bound in ipairs(buckets) do
    if type(bound) ~= "number" or bound ~= bound or bound == math.huge or bound <= (buckets[i - 1] or 0) then
      argcheck.raise 'metrics.new: option "buckets" must be a list of rising numbers of seconds above 0'
    end
  end
  return buckets
end

--- Makes a set of metrics. Pass its `on_event` to `ampersand.new`; several clients may share one set.
---@param given? table shared (name of a `lua_shared_dict` of nginx that its workers share; default: this process),
---   buckets (upper bounds of the histogram in seconds, default 0.025 to 60)
---@return ampersand.Metrics
function metrics.new(given)
  given = argcheck.check(given, NEW_OPTIONS, "metrics.new")
  local self = setmetatable({
    dict = dict_of(given.shared), buckets = check_buckets(given.buckets or BUCKETS),
  }, Metrics)
  --- Counts one request, as `on_event` of a client reports it.
  self.on_event = function(event) observe(self, event) end
  return self
end

-- What is in the store: family name -> labels -> part -> value.
local function collect(self)
  local families = {}
  for _, key in ipairs(self.dict:get_keys(0)) do
    local name, part, labels = key:match "^([%w_]+)|(%w*)|(.*)$"
    local value = name and self.dict:get(key)
    if value then
      families[name] = families[name] or {}
      families[name][labels] = families[name][labels] or {}
      families[name][labels][tonumber(part) or part] = value
    end
  end
  return families
end

--- The metrics as text, for `GET /metrics`. Its Content-Type is `metrics.CONTENT_TYPE`.
---@param more? table[] families of your own: { name, help, type = "gauge", samples = { { labels = {…}, value = n } } }
---@return string
function Metrics:text(more)
  local lines, found = {}, collect(self)
  for _, family in ipairs(FAMILIES) do
    local all = found[family.name] or {}
    if next(all) then write_head(lines, family) end
    for _, labels in ipairs(sorted_keys(all)) do
      if family.type == "histogram" then
        write_histogram(lines, family.name, labels, all[labels], self.buckets)
      else
        sample(lines, family.name, labels, all[labels][""])
      end
    end
  end
  for _, family in ipairs(more or {}) do
    if family.samples[1] then write_head(lines, family) end
    for _, each in ipairs(family.samples) do sample(lines, family.name, label_text(each.labels or {}), each.value) end
  end
  return table.concat(lines, "\n") .. (lines[1] and "\n" or "")
end

metrics.CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

--- Answers a request of nginx with the metrics; for `content_by_lua`.
---@param more? table[] as for `text`
function Metrics:serve(more)
  local ngx = rawget(_G, "ngx")
  ngx.header.content_type = metrics.CONTENT_TYPE
  ngx.print(self:text(more))
end

return metrics
