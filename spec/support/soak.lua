-- Many requests with random faults, to see that nothing grows: `make soak`. Arguments: [requests] [seed].

local cancel = require "ampersand.cancel"
local curl = require "ampersand.transport.curl"
local fault = require "support.fault"
local core = require "ampersand.core"

local TOTAL = tonumber(arg[1]) or 100000
local seed = tonumber(arg[2]) or os.time() % 100000
math.randomseed(seed)

local SCENARIOS = {
  "items", "items", "items", "echo", "gzip", "gzip_twice", "trailers", "folded", "interim", "no_content",
  "status?code=503", "status?code=404", "big?bytes=100000", "until_close", "short_body", "cut_status", "cut_head",
  "cut_before_blank", "close_at_once", "reset_at_once", "bad_chunk", "cut_chunk", "no_last_chunk", "two_lengths",
  "length_garbage", "http09", "garbage_status", "colonless_header", "gzip_corrupt", "gzip_not", "encoding_unknown",
  "die_on_reuse", "reset_on_reuse", "silent", "stall_body", "slow?seconds=0.002",
}
local METHODS = { "GET", "GET", "GET", "POST", "PUT", "DELETE" }

local server = fault.start()
local outcomes = {}

local function count(what) outcomes[what] = (outcomes[what] or 0) + 1 end

local function read_some(res, pieces)
  for _ = 1, pieces do
    local chunk, _, kind = res.read()
    if not chunk then return kind or "whole" end
  end
  return "left early"
end

local function request(transport)
  local scenario, method = SCENARIOS[math.random(#SCENARIOS)], METHODS[math.random(#METHODS)]
  local stalls = scenario == "silent" or scenario == "stall_body"
  local token = math.random(20) == 1 and cancel.token() or nil
  local res, _, kind = transport:request {
    method = method, url = server:url(scenario, math.random(50) == 1 and "good" or "plain"),
    body = method ~= "GET" and ("b"):rep(math.random(0, 2000)) or nil, headers = { ["X-Api-Key"] = "key" },
    stream = math.random(2) == 1, resend = method ~= "POST", timeout = stalls and 0.02 or 10, cancel = token,
  }
  if not res then return count(kind) end
  count(read_some(res, math.random(3) == 1 and 1 or 1000))
  if token then token:cancel() end
  if math.random(4) > 1 then res.close() end -- the others are the collector's
end

-- One batch of requests over one transport, some of them side by side.
local function batch(transport, n)
  local tasks = {}
  for i = 1, n do tasks[i] = function() request(transport) end end
  local _, errors = transport:parallel(16, tasks)
  for _, message in pairs(errors) do error(message) end
end

local function memory() -- resident bytes
  local file = assert(io.open "/proc/self/statm")
  local _, pages = file:read("*n", "*n")
  file:close()
  return pages * 4096
end

local function descriptors()
  local stat = assert(io.open "/proc/self/stat")
  local pid = stat:read "*n"
  stat:close()
  local pipe = assert(io.popen(("ls /proc/%d/fd | wc -l"):format(pid)))
  local n = pipe:read "*n"
  pipe:close()
  return n
end

local function settle()
  collectgarbage()
  collectgarbage()
end

local function new_transport() return curl.new { http_proxy = "", ca_file = server.directory .. "/ca.pem" } end

settle()
local start, fds, first_memory, done = core.now(), descriptors(), nil, 0
local transport = new_transport()
while done < TOTAL do
  batch(transport, 500)
  done = done + 500
  if done % 5000 == 0 then
    transport:close()
    transport = new_transport()
    settle()
    if done >= TOTAL / 4 then first_memory = first_memory or memory() end
  end
end
transport:close()
settle()
local last_memory, left = memory(), descriptors() - fds
server:stop()

local names = {}
for name in pairs(outcomes) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do print(("%10d  %s"):format(outcomes[name], name)) end
first_memory = first_memory or last_memory
print(("%10d  requests in %.0f s (seed %d)"):format(done, core.now() - start, seed))
print(("%10.1f  MB resident after a quarter, %.1f at the end"):format(first_memory / 2 ^ 20, last_memory / 2 ^ 20))
print(("%10d  descriptors more than at the start"):format(left))
assert(left == 0, "descriptors leaked")
assert(last_memory < first_memory + 4 * 2 ^ 20, "memory grew")
