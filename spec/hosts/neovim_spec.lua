-- examples/neovim in a real Neovim without a screen.

local host = require "support.host"
local mock = require "support.mock"

if os.getenv "LUA_VERSION" ~= "jit" then return end -- the Lua of Debian's build

local INSTALLATIONS = os.getenv "AMP_FIGURES" and 10000 or 2000

-- What both scripts begin with. They wait in Neovim's main loop: in vim.wait, what a timer schedules runs after the next
-- event only.
local PRELUDE = [[
vim.opt.rtp:append "EXAMPLE"
vim.cmd "runtime plugin/ampersand.lua"
local uv = vim.uv or vim.loop
local function wait(condition)
  local co = coroutine.running()
  while not condition() do
    vim.defer_fn(function() assert(coroutine.resume(co)) end, 10)
    coroutine.yield()
  end
end
local function say(...) io.stdout:write(string.format(...), "\n") end
local function run(f)
  assert(coroutine.resume(coroutine.create(function()
    local ok, message = pcall(f)
    if not ok then say("%s", message) end
    vim.cmd "qa!"
  end)))
end
]]

-- Opens the buffer and waits until it is full. Meanwhile: how late a timer of 5 ms comes, and how much CPU time passes
-- between two moments in which Neovim can take a key; both from the first line on.
local SCRIPT = PRELUDE .. [[
local late, turn, ticks, schedule = 0, 0, 0, vim.schedule
vim.schedule = function(f)
  return schedule(function()
    local began = os.clock()
    f()
    turn = math.max(turn, os.clock() - began)
  end)
end
local last, arriving = uv.hrtime(), false
uv.new_timer():start(5, 5, function()
  local now = uv.hrtime()
  late, ticks, last = math.max(late, (now - last) / 1e6 - 5), ticks + 1, now
end)
run(function()
  vim.cmd "Ampersand"
  local buffer = vim.api.nvim_get_current_buf()
  wait(function()
    if not arriving and vim.b[buffer].ampersand_count then
      say("opening: at most %.1f ms late, the longest turn takes %.1f ms of CPU time", late, turn * 1000)
      arriving, late, turn = true, 0, 0
    end
    return vim.b[buffer].ampersand_done
  end)
  local lines = vim.api.nvim_buf_get_lines(buffer, 0, -1, false)
  say("%d lines, %d ticks, at most %.1f ms late, the longest turn takes %.1f ms of CPU time", #lines, ticks, late, turn * 1000)
  say("%s", lines[1])
  say("%d marks", #vim.api.nvim_buf_get_extmarks(buffer, vim.api.nvim_create_namespace "ampersand", 0, -1, {}))
  vim.api.nvim_feedkeys("K", "xt", false)
  wait(function() return #vim.api.nvim_list_wins() > 1 end)
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= "" then
      say("%s", table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false), "\n"))
    end
  end
end)
]]

-- With a clock that is a millisecond on whenever somebody looks: how many lines come between two turns of the loop.
local TURNS = PRELUDE .. [[
local now, lines, most, set_lines = 0, 0, 0, vim.api.nvim_buf_set_lines
uv.hrtime = function()
  now = now + 1e6
  return now
end
vim.api.nvim_buf_set_lines = function(buffer, first, last, strict, new)
  lines = lines + #new
  most = math.max(most, lines)
  return set_lines(buffer, first, last, strict, new)
end
uv.new_prepare():start(function() lines = 0 end)
run(function()
  vim.cmd "Ampersand"
  local buffer = vim.api.nvim_get_current_buf()
  wait(function() return vim.b[buffer].ampersand_done end)
  say("%d lines, at most %d in a turn", vim.api.nvim_buf_line_count(buffer), most)
end)
]]

-- Closes the buffer after its first lines.
local CLOSED = PRELUDE .. [[
run(function()
  vim.notify = function(message) say("%s", message) end
  vim.cmd "Ampersand"
  local buffer, polls = vim.api.nvim_get_current_buf(), 0
  wait(function() return vim.b[buffer].ampersand_count end)
  vim.cmd "bwipeout!"
  wait(function()
    polls = polls + 1
    return polls > 20
  end)
  say "closed"
end)
]]

-- What a script prints in a Neovim without a screen.
local function run(script, server)
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write((script:gsub("EXAMPLE", host.path "examples/neovim")))
  file:close()
  local output = host.run(("nvim --headless -u NONE -i NONE -c 'luafile %s'"):format(name), server)
  os.remove(name)
  return output
end

describe("Neovim", function()
  it("fills a buffer while installations arrive, stays responsive, and explains the one under the cursor", function()
    host.need(pending, "nvim", "neovim")
    local server = mock.start { installations = INSTALLATIONS }
    finally(function() server:stop() end) -- luacheck: ignore
    local output = run(SCRIPT, server)
    if os.getenv "AMP_FIGURES" then print(output) end
    local lines, ticks, late, turn = output:match
      "(%d+) lines, (%d+) ticks, at most ([%d.]+) ms late, the longest turn takes ([%d.]+) ms"
    assert.equal(INSTALLATIONS, tonumber(lines), output)
    assert.is_true(tonumber(ticks) > 2, output)
    assert.is_true(tonumber(late) < 200, output)
    assert.is_true(tonumber(turn) < 50, output)
    assert.matches("healthy +salesforce +Super Customer +installation%-123", output)
    assert.matches(INSTALLATIONS .. " marks", output)
    assert.matches("installation%-123.*is healthy", output)
    assert.is_nil(output:find("E5560", 1, true), output)
    assert.is_nil(output:find(server.key, 1, true))
  end)

  it("lets the editor have its turn after a few milliseconds, however much has arrived", function()
    host.need(pending, "nvim", "neovim")
    local server = mock.start { installations = 500 }
    finally(function() server:stop() end) -- luacheck: ignore
    local output = run(TURNS, server)
    local lines, most = output:match "(%d+) lines, at most (%d+) in a turn"
    assert.equal(500, tonumber(lines), output)
    assert.is_true(tonumber(most) < 10, output)
  end)

  it("ends quietly when its buffer is closed", function()
    host.need(pending, "nvim", "neovim")
    local server = mock.start { installations = INSTALLATIONS }
    finally(function() server:stop() end) -- luacheck: ignore
    server:control("faults", { slow = 500000 })
    assert.equal("closed\n", run(CLOSED, server))
  end)

  it("says what is wrong in a message", function()
    host.need(pending, "nvim", "neovim")
    local server = mock.start()
    finally(function() server:stop() end) -- luacheck: ignore
    local command = ([[nvim --headless -u NONE -i NONE --cmd 'let &rtp .= ",%s"' -c 'runtime plugin/ampersand.lua' -c Ampersand ]]
      .. [[-c 'lua vim.wait(20000, function() return vim.fn.execute("messages"):find "401" end)' -c 'qa!']]):format(host.path "examples/neovim")
    local output = host.run(command, server, { AMP_API_KEY = "not-the-right-key" })
    assert.matches("ampersand: .*401", output)
    assert.is_nil(output:find("not-the-right-key", 1, true))
  end)
end)
