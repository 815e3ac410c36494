-- The engine among processes, threads and signals.

local build = require "support.build"
local fault = require "support.fault"
local core = require "ampersand.core"

-- Every script begins with this.
local PRELUDE = [[
local curl = require "ampersand.transport.curl"
local core = require "ampersand.core"
local URL = URL or arg[1]
local function get(transport, path, more)
  local req = { method = "GET", url = URL .. path, timeout = 10, resend = true }
  for name, value in pairs(more or {}) do req[name] = value end
  return transport:request(req)
end
local function read(res)
  local n, chunk, message, kind = 0, nil, nil, nil
  repeat
    chunk, message, kind = res.read()
    n = n + #(chunk or "")
  until not chunk
  return n, kind, message
end
]]

-- Counts without a process: a pipe to one is a descriptor, too.
local DESCRIPTORS = [[
local function descriptors()
  local n = 0
  for fd = 3, 200 do
    local stat = io.open("/proc/self/fdinfo/" .. fd)
    if stat then n = n + 1; stat:close() end
  end
  return n
end
]]

describe("the engine", function()
  local server, directory
  setup(function()
    server = fault.start()
    directory = server.directory
    build.c("process", "module")
  end)
  teardown(function() server:stop() end)

  local function run(script, options)
    options = options or {}
    options.arguments = ("'%s' '%s/ca.pem'"):format(server:url("", options.port), directory)
    return build.run(PRELUDE .. script, directory, options)
  end

  local function succeeds(script, options)
    local output, code = run(script, options)
    assert.equal(0, code, output)
    assert.equal("", output)
  end

  for _, port in ipairs { "plain", "good" } do
    it("serves parent and child after a fork, on " .. port, function()
      succeeds([[
        local process = require "process"
        local transport = curl.new { http_proxy = "", ca_file = arg[2] }
        assert(get(transport, "items"))
        local stream = assert(get(transport, "big?bytes=3000000", { stream = true }))
        local first = #assert(stream.read())
        local pid = process.fork()
        if pid == 0 then
          local ok, message = pcall(function()
            assert(read(assert(get(transport, "items"))) == 34, "the child's own request")
            local _, _, kind = stream.read()
            while kind == nil do _, _, kind = stream.read() end -- what the parent had received is there
            assert(kind == "cancelled", "the parent's stream ends in the child: " .. tostring(kind))
            stream, transport = nil, nil
            collectgarbage()
            collectgarbage()
          end)
          if not ok then print(message) end
          io.stdout:flush()
          process.leave(ok and 0 or 1)
        end
        assert(process.wait(pid) == 0, "the child failed")
        local rest, kind, message = read(stream)
        assert(not kind, message)
        assert(first + rest == 3000000, "the parent's stream goes on")
        local res = assert(get(transport, "items", { method = "POST", resend = false }))
        assert(read(res) == 34, "on the old connection")
      ]], { port = port })
    end)
  end

  it("opens nothing that stays open for finalizers that run while the state closes", function()
    for _, moment in ipairs { "first", "loaded", "made", "used" } do
      for _, used in ipairs { true, false } do
        local output, code = build.run(DESCRIPTORS .. ([[
          local function finalized(f)
            if not newproxy then return setmetatable({}, { __gc = f }) end
            local proxy = newproxy(true)
            getmetatable(proxy).__gc = f
            return proxy
          end
          local client, before
          last = finalized(function() print(descriptors() - before) end) -- made first, finalized last
          before = descriptors()
          local function ask()
            local value, err = client.installations:list()
            print(value and "value" or err.kind)
          end
          local moments = {}
          local function at(name) if name == "%s" then moments[name] = finalized(ask) end end
          at "first"
          local ampersand = require "ampersand"
          at "loaded"
          client = ampersand.new { api_key = "k", project = "p", integration = "i", base_url = arg[1] .. "items", http_proxy = "" }
          at "made"
          if %s then ask() end
          at "used"
          kept = moments
        ]]):format(moment, tostring(used)), directory, {
          arguments = server:url "",
          -- Lua finalizes no decoder that a finalizer makes now: its memory is the process's to give back
          wrap = "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 %s",
        })
        assert.equal(0, code, output)
        local lines = {}
        for line in output:gmatch "%S+" do lines[#lines + 1] = line end
        local case = moment .. " " .. tostring(used) .. ": " .. output
        assert.equal("0", lines[#lines], case)
        -- what is newer than the client, and than all that it has opened, can still use it
        local works = moment == "used" or (moment == "made" and not used)
        assert.equal(works and "value" or "cancelled", lines[#lines - 1], case)
      end
    end
  end)

  it("ends the tasks of client:parallel in a child that was forked by one of them", function()
    succeeds [[
      local process = require "process"
      local transport = curl.new { http_proxy = "" }
      local pid
      local values, errors = transport:parallel(3, {
        function() return assert(get(transport, "slow?seconds=0.1")).status end,
        function()
          pid = process.fork()
          return assert(get(transport, "slow?seconds=0.1")).status
        end,
        function() return assert(get(transport, "slow?seconds=0.1")).status end,
      })
      if pid == 0 then
        local ended = tostring(errors[1]):find "belongs to another process" and values[3] == 200
        process.leave(ended and values[2] == 200 and 0 or 1)
      end
      assert(process.wait(pid) == 0, "the child failed")
      assert(values[1] == 200 and values[2] == 200 and values[3] == 200)
    ]]
  end)

  it("closes the parent's sockets in the child", function()
    succeeds(DESCRIPTORS .. [[
      local process = require "process"
      local before = descriptors()
      local transport = curl.new { http_proxy = "" }
      local streams = {}
      for i = 1, 3 do streams[i] = get(transport, "big?bytes=300000", { stream = true }) end
      local opened = descriptors() - before
      local pid = process.fork()
      if pid == 0 then
        streams, transport = nil, nil
        collectgarbage()
        collectgarbage()
        -- what is left is libcurl's own: its wake-up pair
        process.leave(descriptors() - before <= 2 and 0 or 1)
      end
      assert(opened >= 5 and #streams == 3, opened)
      assert(process.wait(pid) == 0, "descriptors stayed open in the child")
    ]])
  end)

  it("does not wait for a resolver that is stuck, nor crash at the exit that comes first", function()
    local preload = build.c("slow_resolver", "preload")
    local start = core.now()
    local output, code = run([[
      local transport = curl.new { http_proxy = "" }
      local start = core.now()
      local _, message, kind, sent = transport:request { method = "GET", url = "http://slow.example/", timeout = 0.3 }
      assert(kind == "timeout" and sent == false, message)
      assert(core.now() - start < 1.3, "late by " .. core.now() - start)
      transport, start = nil, core.now()
      collectgarbage()
      assert(core.now() - start < 1, "the collector waited")
    ]], { preload = preload })
    assert.equal(0, code, output)
    assert.is_true(core.now() - start < 2.9, "the exit waited for the resolver")
  end)

  it("lets Lua react to a signal while it waits", function()
    local start, name = core.now(), os.tmpname()
    local script = [[
      local transport = curl.new { http_proxy = "" }
      local file = io.open("NAME", "w")
      file:write "asks"
      file:close()
      get(transport, "silent", { timeout = 20 })
      print "not reached"
    ]]
    local waits = "until [ -s NAME ] && grep -q ') S ' /proc/$pid/stat; do sleep 0.01; done"
    local output, code = run(script:gsub("NAME", name), {
      wrap = "%s & pid=$!; " .. waits:gsub("NAME", name) .. "; kill -INT $pid; wait $pid",
    })
    os.remove(name)
    assert.matches("interrupted", output)
    assert.equal(1, code)
    assert.is_true(core.now() - start < 10)
  end)

  it("survives servers that are gone when it writes, in a step, at the end of a transfer, and at its own", function()
    -- libcurl writes to plain sockets itself, so that no signal is raised; its TLS library may raise one
    for port, preload in pairs { plain = "", good = build.c("raise_sigpipe", "preload") } do
      succeeds([[
        require("process").heed_sigpipe()
        local options = { http_proxy = "", ca_file = arg[2] }
        local transport, other = curl.new(options), curl.new(options)
        local function resets() return tonumber((get(other, "-/arrivals/was_reset").read())) end
        local function after_reset(path, more)
          local before, res = resets(), get(transport, path, more)
          repeat until resets() > before
          return res
        end
        get(transport, "reset_on_reuse", { method = "POST", body = ("x"):rep(300000), resend = false })
        get(transport, "reset_on_reuse", { method = "POST", body = ("x"):rep(300000), resend = false })
        get(transport, "reset_at_once", { method = "POST", body = ("x"):rep(300000), resend = false })
        after_reset("reset_in_body", { stream = true }).close()
        after_reset "reset_when_idle"
        transport:close()
        transport = curl.new(options)
        local res = after_reset("reset_in_body", { stream = true })
        transport:close()
      ]], { port = port, preload = preload })
    end
  end)

  it("lets a state that is closed in the middle of everything go in peace", function()
    succeeds [[
      local transport = curl.new { http_proxy = "" }
      held = { transport, get(transport, "stall_body", { stream = true }) } -- a global: lua_close collects it
      engine = require("ampersand.http").engine {}
      transfer = engine:start { method = "GET", url = URL .. "silent" }
      engine:step()
      if os.exit and _VERSION ~= "Lua 5.1" then os.exit(0, true) end
    ]]
  end)

  it("runs in several threads, one state in each, also where the host has initialised libcurl", function()
    local program = build.c("threads", "program")
    local name = directory .. "/thread.lua"
    local file = assert(io.open(name, "w"))
    file:write(PRELUDE, [[
      local transport = curl.new { http_proxy = "" }
      for _ = 1, 10 do assert(read(assert(get(transport, "items"))) == 34) end
      local res = assert(get(transport, "big?bytes=200000", { stream = true }))
      assert(read(res) == 200000)
      get(transport, "stall_body", { stream = true }) -- left as it is
    ]])
    file:close()
    for _, host in ipairs { "", "host" } do
      local pipe = io.popen(("'%s' '%s' '%s' %s 2>&1; echo $?"):format(program, name, server:url "", host))
      assert.equal("0\n", pipe:read "*a")
      pipe:close()
    end
  end)

  -- The address sanitizer has an allocator of its own and leaves no room for one that fails.
  if (os.getenv "LD_PRELOAD" or ""):find "asan" then return end

  it("fails cleanly whichever allocation fails", function()
    local preload = build.c("fail_malloc", "preload")
    local output, code = run([[
      -- libgcc, which LuaJIT tells of the machine code it makes, does not look whether its allocation succeeded
      if jit then jit.off() end
      local process = require "process"
      local failures, successes = 0, 0
      local function attempt()
        local transport = curl.new { http_proxy = "" }
        local res = get(transport, "deflate", { headers = { ["X-Api-Key"] = "key" }, method = "POST", body = "{}" })
        local n, kind = 0, "no answer"
        if res then n, kind = read(res) end
        transport:close()
        return kind == nil and n == 34
      end
      assert(attempt())
      local start = core.now()
      for k = 1, 300 do
        process.fail_at(k)
        local ok, whole = pcall(attempt)
        process.fail_at(0)
        if ok and whole then successes = successes + 1 else failures = failures + 1 end
        if k % 50 == 0 then collectgarbage() end
      end
      collectgarbage()
      assert(attempt())
      assert(failures > 50, "failures: " .. failures)
      assert(successes > 0, "successes: " .. successes)
      assert(core.now() - start < 9, "some failure was noticed by the deadline only")
    ]], { preload = preload })
    assert.equal(0, code, output)
  end)
end)
