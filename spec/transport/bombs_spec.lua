-- A few bytes that unpack to very many: every way of reading them ends in time, in little memory, and says why.

local build = require "support.build"
local curl = require "ampersand.transport.curl"
local fault = require "support.fault"

local PATIENCE = os.getenv "AMP_SLOW" and 20 or 1
local TIMEOUT = 0.25 -- of what nothing else ends

-- Arguments: the beginning of the URLs, and of each bomb its name, calls and timeout. Prints: bomb, call, kind, seconds,
-- megabytes at the most, message.
local SCRIPT = [[
  local ampersand = require "ampersand"
  local client
  local calls = {
    get = function() return client.installations:get "x" end,
    post = function() return client:request("POST", "/json", { body = {} }) end,
    delete = function() return client.installations:delete "x" end,
    count = function() return client.installations:count() end,
    first = function() return client.installations:first() end,
    filtered = function() return client.installations:where({ id = "x" }):count() end,
    each = function()
      local stream = client.installations:stream({}, { timeout = client._config.timeout })
      local value, err
      repeat value, err = stream:next() until value == nil
      return value, err
    end,
    request = function() return client:request("GET", "/json") end,
    text = function() return client:request("GET", "/text") end,
    proxy = function() return client:proxy("GET", "/json", { installation = "x" }) end,
    failure = function() return client:request("GET", "/status=500") end,
    list = function() return client.installations:list() end,
  }
  local function peak()
    for line in io.lines "/proc/self/status" do
      local kilobytes = line:match "^VmHWM:%s+(%d+)"
      if kilobytes then return tonumber(kilobytes) / 1024 end
    end
  end
  local function try(bomb, word)
    local refs = io.open("/proc/self/clear_refs", "w")
    if refs then refs:write "5" refs:close() end -- the peak begins again
    local before = peak()
    local start = os.clock() -- time of this process: a busy machine does not count
    local value, err = calls[word]()
    local kind = value == nil and err and err.kind or type(value)
    print(bomb, word, kind, os.clock() - start, peak() - before, value == nil and err and err.message:sub(1, 150) or "")
    value = nil
    collectgarbage()
    collectgarbage()
  end
  for i = 2, #arg, 3 do
    local url = arg[1] .. arg[i]
    client = ampersand.new {
      api_key = "k", project = "01234567-89ab-cdef-0123-456789abcdef", integration = "i", base_url = url,
      servers = { proxy = url, write = url }, timeout = tonumber(arg[i + 2]), retry = false,
    }
    for word in arg[i + 1]:gmatch "%S+" do try(arg[i], word) end
    client:close()
  end
]]

local BOMBS = { "nesting", "objects", "spaces", "string", "elements", "zeros", "twice", "inner" }

local CALLS = "delete get count first filtered each request failure list"
-- What reads as "request" does is asked where that ends early, and one long body stands for all as text.
local MORE = {
  nesting = " post proxy", objects = " post proxy", twice = " post proxy text", inner = " post proxy text", string = " text",
}

describe("a bomb of", function()
  local server
  local outcomes = {}
  setup(function()
    server = fault.start()
    local arguments = { server:url "bomb_" }
    for _, bomb in ipairs(BOMBS) do
      arguments[#arguments + 1] = ("%s '%s' %g"):format(bomb, CALLS .. (MORE[bomb] or ""), bomb == "elements" and TIMEOUT or 60)
      outcomes[bomb] = {}
    end
    local output, code = build.run(SCRIPT, server.directory, {
      arguments = table.concat(arguments, " "),
      wrap = "MALLOC_MMAP_THRESHOLD_=65536 %s", -- long blocks grow where they are, and are given back at once
    })
    assert.equal(0, code, output)
    for line in output:gmatch "[^\n]+" do
      local bomb, call, kind, seconds, megabytes, message = line:match "^(%S+)\t(%S+)\t(%S+)\t(%S+)\t(%S+)\t(.*)$"
      assert.is_truthy(call, line)
      outcomes[bomb][call] = { kind = kind, seconds = tonumber(seconds), megabytes = tonumber(megabytes), message = message }
    end
  end)
  teardown(function() server:stop() end)

  -- The words that may follow, by kind.
  local WORDS = {
    limit = { "max_", "nested deeper" }, timeout = { "timed out after" }, decode = { "JSON", "expected", "line 1" },
    protocol = { "encoded in a way" }, status = { "500" },
  }

  -- These have what was asked for: 24 MB as text, a first element, how many there are, an answer that is not looked at.
  local SUCCESSES = {
    ["elements first"] = true, ["elements count"] = true, ["inner delete"] = true, ["inner text"] = true,
    ["string text"] = true,
  }

  for _, bomb in ipairs(BOMBS) do
    it(bomb, function()
      local calls = CALLS .. (MORE[bomb] or "")
      for call in calls:gmatch "%S+" do
        local found = outcomes[bomb][call]
        local what = ("%s of %s: %s %s"):format(call, bomb, found.kind, found.message)
        if not SUCCESSES[bomb .. " " .. call] then
          local named = false
          for _, words in ipairs(WORDS[found.kind] or {}) do named = named or found.message:find(words, 1, true) ~= nil end
          assert.is_true(named, what)
        end
        assert.is_true(found.seconds < 1 + PATIENCE, ("%s, %g s"):format(what, found.seconds))
        local received = found.kind == "string" and 32 or call == "list" and bomb == "elements" and 400 or 0
        -- the address sanitizer keeps what was freed
        if (os.getenv "LD_PRELOAD" or ""):find "asan" then received = math.huge end
        assert.is_true(found.megabytes <= 20 + received, ("%s, %g MB"):format(what, found.megabytes))
      end
    end)
  end

  it("any kind that has arrived is unpacked until the deadline, no longer", function()
    local transport, url = curl.new(), server:url "bomb_zeros"
    local res = assert(transport:request { method = "GET", url = url, timeout = 30, stream = true })
    assert.is_string(res.read())
    res.deadline(TIMEOUT)
    transport:sleep(TIMEOUT + 0.1) -- the packed body arrives as a whole meanwhile
    local chunk, message, kind
    repeat chunk, message, kind = res.read() until not chunk
    assert.equal("timeout", kind, message)
    assert.matches("^timed out .*while the body arrived$", message)
    transport:close()
  end)
end)
