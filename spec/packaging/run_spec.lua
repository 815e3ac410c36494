-- `make specs`: spec files run in processes of their own, and are reported as busted reports one.
-- For one Lua: a shell runs them.

local environment = require "ampersand.util.environment"
local lfs = require "lfs"

local FILES = {
  good = [[it("passes", function() end) pending "waits for a host"]],
  fine = [[it("passes, too", function() end)]],
  bad = [[it("fails as it should", function() assert.equal("left", "right") end)]],
  crash = [[it("passes", function() end) it("ends its process", function() os.exit(7) end)]],
  environment = [[for name in io.popen "exec env":read "*a":gmatch "([%w_]+)=mine" do it("has " .. name, function() end) end]],
}

-- All that the library and the command read of ampersand's own, and what changes cd and libcurl.
local VARIABLES = { "CDPATH", "SSLKEYLOGFILE", "NO_PROXY", "no_proxy", "AMPERSAND_PROFILE" }
for _, names in pairs(environment.NAMES) do
  for _, name in ipairs(names) do VARIABLES[#VARIABLES + 1] = name end
end

describe("spec/support/run", function()
  local directory, root
  setup(function()
    directory = os.tmpname()
    os.remove(directory)
    root = lfs.currentdir()
    assert(lfs.mkdir(directory))
  end)
  teardown(function() os.execute("exec rm -r " .. directory) end)

  -- What a run of some of the files prints, and its exit code.
  local function run(names, jobs, variables)
    local paths = {}
    for i, name in ipairs(names) do
      paths[i] = name .. "_spec.lua"
      local file = assert(io.open(directory .. "/" .. paths[i], "w"))
      file:write(FILES[name])
      file:close()
    end
    local pipe = assert(io.popen(([[unset LD_PRELOAD; cd %s && env %s \
      BUSTED=${BUSTED:-$(command -v busted)} JOBS=%d '%s/spec/support/run' %s 2>&1
      code=$?; echo; echo $code]]):format(directory, variables or "", jobs, root, table.concat(paths, " "))))
    local text = pipe:read "*a"
    pipe:close()
    return text:match "^(.*)\n(%d+)\n$"
  end

  it("adds up what files that run side by side have found", function()
    local text, code = run({ "good", "bad", "crash" }, 2)
    assert.matches("\n1 successes / 1 failures / 1 errors / 1 pending : %d+ seconds\n", text)
    assert.matches("Failure %-> bad_spec.lua @ 1\nfails as it should", text)
    assert.matches("Pending %-> good_spec.lua @ 1\nwaits for a host", text)
    assert.matches("Error %-> crash_spec.lua ended with exit code 7 before its last spec", text)
    assert.equal("1", code)
  end)

  it("succeeds where all do, one after the other, too", function()
    local text, code = run({ "good", "fine" }, 1)
    assert.matches("\n2 successes / 0 failures / 0 errors / 1 pending : %d+ seconds\n", text)
    assert.equal("0", code)
  end)

  it("keeps from the specs what the user has set for ampersand, cd and libcurl", function()
    local set = table.concat(VARIABLES, "=mine ") .. "=mine OTHERS=mine"
    for _, names in ipairs { { "environment" }, { "environment", "good" } } do
      local text = run(names, 1, set)
      assert.matches(#names == 1 and "\n1 success / 0" or "\n2 successes / 0", text)
    end
  end)

  it("has the project's Lua files, whatever paths the user has set", function()
    local file = assert(io.open(directory .. "/good_spec.lua", "w"))
    file:write 'it("finds them", function() require "ampersand" end)'
    file:close()
    local paths = "LUA_PATH=/no LUA_CPATH=/no LUA_PATH_5_4=/no LUA_CPATH_5_4=/no LUA_INIT='error()' LUA_INIT_5_4='error()'"
    local pipe = assert(io.popen(("unset LD_PRELOAD; %s make -s specs SPECS=%s/good_spec.lua 2>&1"):format(paths, directory)))
    local text = pipe:read "*a"
    pipe:close()
    assert.matches("\n1 success / 0 failures / 0 errors", text)
  end)

  it("leaves a single file to busted", function()
    local text, code = run({ "bad" }, 1)
    assert.matches("0 successes / 1 failure / 0 errors / 0 pending : [%d.]+ seconds", text)
    assert.equal("1", code)
  end)
end)
