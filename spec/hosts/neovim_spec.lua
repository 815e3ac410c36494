-- examples/neovim in a real Neovim without a screen.

local host = require "support.host"
local mock = require "support.mock"

if os.getenv "LUA_VERSION" ~= "jit" then return end -- the Lua of Debian's build

local INSTALLATIONS = 2000

-- Opens the buffer, waits until it is full, and counts how late a timer of 5 ms came meanwhile.
local SCRIPT = [[
vim.opt.rtp:append "EXAMPLE"
vim.cmd "runtime plugin/ampersand.lua"
local uv = vim.uv or vim.loop
local last, worst, ticks = uv.hrtime(), 0, 0
uv.new_timer():start(5, 5, function()
  local now = uv.hrtime()
  worst, ticks, last = math.max(worst, (now - last) / 1e6 - 5), ticks + 1, now
end)
vim.cmd "Ampersand"
local buffer = vim.api.nvim_get_current_buf()
vim.wait(50000, function() return vim.b[buffer].ampersand_done end, 5)
local lines = vim.api.nvim_buf_get_lines(buffer, 0, -1, false)
print(("%d lines, %d ticks, at most %.1f ms late"):format(#lines, ticks, worst))
print(lines[1])
local marks = vim.api.nvim_buf_get_extmarks(buffer, vim.api.nvim_create_namespace "ampersand", 0, -1, {})
print(#marks .. " marks")
vim.api.nvim_feedkeys("K", "xt", false)
vim.wait(20000, function() return #vim.api.nvim_list_wins() > 1 end, 5)
for _, window in ipairs(vim.api.nvim_list_wins()) do
  if vim.api.nvim_win_get_config(window).relative ~= "" then
    print(table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false), "\n"))
  end
end
]]

describe("Neovim", function()
  it("fills a buffer while installations arrive, stays responsive, and explains the one under the cursor", function()
    host.need(pending, "nvim", "neovim")
    local server = mock.start { installations = INSTALLATIONS }
    local name = os.tmpname()
    finally(function() -- luacheck: ignore
      server:stop()
      os.remove(name)
    end)
    local file = assert(io.open(name, "w"))
    file:write((SCRIPT:gsub("EXAMPLE", host.path "examples/neovim")))
    file:close()
    local output = host.run(("nvim --headless -u NONE -i NONE -c 'luafile %s' -c 'qa!'"):format(name), server)
    local lines, ticks, late = output:match "(%d+) lines, (%d+) ticks, at most ([%d.]+) ms late"
    assert.equal(INSTALLATIONS, tonumber(lines), output)
    assert.is_true(tonumber(ticks) > 2, output)
    assert.is_true(tonumber(late) < 1000, output) -- it did not wait for the whole list
    assert.matches("healthy +salesforce +Super Customer +installation%-123", output)
    assert.matches(INSTALLATIONS .. " marks", output)
    assert.matches("installation%-123.*is healthy", output)
    assert.is_nil(output:find("E5560", 1, true), output)
    assert.is_nil(output:find(server.key, 1, true))
  end)

  it("says what is wrong in a message", function()
    host.need(pending, "nvim", "neovim")
    local server = mock.start()
    finally(function() server:stop() end) -- luacheck: ignore
    local command = ([[nvim --headless -u NONE -i NONE -c 'set rtp+=%s' -c 'runtime plugin/ampersand.lua' -c Ampersand ]]
      .. [[-c 'lua vim.wait(20000, function() return vim.fn.execute("messages"):find "401" end)' -c 'qa!']]):format(host.path "examples/neovim")
    local output = host.run(command, server, { AMP_API_KEY = "not-the-right-key" })
    assert.matches("ampersand: .*401", output)
    assert.is_nil(output:find("not-the-right-key", 1, true))
  end)
end)
