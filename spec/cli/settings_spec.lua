-- Where the settings of the command come from, and what their files and variables may look like.

local command = require "support.command"
local core = require "ampersand.core"
local double = require "support.double"
local lfs = require "lfs"

local server, session

setup(function() server, session = command.open { installations = 5 } end)
teardown(function() command.close(server, session) end)

local CONFIG

setup(function()
  CONFIG = session.home .. "/ampersand/config"
  core.make_private(CONFIG)
end)

-- Runs a command with a configuration file of this text.
local function with_file(text, line, more, input)
  command.write(CONFIG, text)
  return session:call(line, more, input)
end

local BARE = { AMP_API_KEY = false, AMPERSAND_PROJECT_ID = false, AMPERSAND_INTEGRATION_ID = false, AMP_API_URL = false }

local function file_of(lines)
  return "[default]\nurl = " .. server.url .. "\nkey = mock-key\nproject = my-project\nintegration = salesforce\n" .. (lines or "")
end

local COUNT = "ampersand installations list --count"

describe("the root of the API", function()
  local root

  setup(function() root = server.url:gsub("/v1$", "") end)

  it("means the same with and without /v1, in every place", function()
    for _, ending in ipairs { "", "/", "/v1", "/v1/", "//" } do
      local url = root .. ending
      local results = {
        session:call(COUNT, { AMP_API_URL = url }), session:call(COUNT .. " --url " .. url),
        with_file(file_of():gsub("url = %S+", "url = " .. url), COUNT, BARE),
      }
      session:call("ampersand config set url " .. url)
      results[4] = session:call(COUNT, { AMP_API_URL = false })
      for i, result in ipairs(results) do assert.same({ "5\n", 0 }, { result.out, result.code }, url .. i .. result.err) end
    end
  end)

  it("keeps another version and another path", function()
    local url = require "ampersand.util.url"
    for given, expected in pairs {
      ["https://a.example/v2"] = "https://a.example/v2", ["https://a.example/api/"] = "https://a.example/api/v1",
      ["https://v2"] = "https://v2/v1", ["https://a.example/v1beta"] = "https://a.example/v1beta/v1", junk = "junk",
    } do
      assert.equal(expected, url.base(given))
    end
    local result = session:call("ampersand installations list", { AMP_API_URL = root .. "/v2" })
    assert.equal(1, result.code)
    assert.is_nil(result.err:find("/v2/v1", 1, true), result.err)
  end)

  it("is shown as it was given", function()
    local shown = session:call("ampersand config show", { AMP_API_URL = root }).out
    assert.truthy(shown:find("url          " .. root .. "  (AMP_API_URL)\n", 1, true), shown)
  end)
end)

describe("a region", function()
  local show = "ampersand config show"

  it("comes from a flag, a profile or AMP_REGION, and is refused when it is none", function()
    local none = { AMP_API_URL = false, AMP_REGION = false }
    assert.truthy(session:call(show .. " --region eu", none).out:find("region       eu  (--region)\n", 1, true))
    assert.truthy(session:call(show, { AMP_REGION = " eu\n" }).out:find("region       eu  (AMP_REGION)\n", 1, true))
    session:call "ampersand config set region eu"
    local set = session:call(show, none)
    assert.truthy(set.out:find("region       eu  (profile default)\n", 1, true), set.out .. set.err)
    session:call "ampersand config unset region"
    for line, region in pairs {
      ["ampersand projects list --region e.u"] = false, ["ampersand projects list"] = "-eu", ["ampersand config set region e/u"] = false,
    } do
      local result = session:call(line, { AMP_REGION = region })
      assert.equal(2, result.code)
      assert.truthy(result.err:find("is not the name of a region", 1, true), result.err)
    end
  end)

  it("is where requests go to; an empty one means the servers as they are, whatever the profile says", function()
    local transport, curl = double.answers(double.json "[]"), "ampersand.transport.curl"
    local loaded = package.loaded[curl]
    finally(function() package.loaded[curl] = loaded end)
    package.loaded[curl] = { new = function() return transport end } -- nothing leaves this machine
    command.write(CONFIG, "[default]\nregion = eu\n")
    for i, flag in ipairs { "--region eu", "", "--region us", "--region ''" } do
      local result = session:call("ampersand projects list " .. flag, { AMP_API_URL = false })
      local host = i <= 2 and "api.eu.withampersand.com" or "api.withampersand.com"
      assert.equal(("https://%s/v1/projects"):format(host), transport.asked[i].url, result.err)
    end
  end)
end)

describe("a configuration file that is a link", function()
  it("counts by what it leads to, and stays a link when a setting is written", function()
    local real = session.home .. "/real"
    assert(os.rename(CONFIG, real) and lfs.link("../real", CONFIG, true))
    finally(function() os.rename(real, CONFIG) end)
    command.write(real, file_of())
    assert.equal(0, session:call("ampersand config set org x", BARE).code)
    assert.equal(file_of() .. "org = x\n", command.read(real))
    assert.equal("../real", lfs.symlinkattributes(CONFIG, "target"))
    assert.equal("5\n", session:call(COUNT, BARE).out)
    os.execute("exec chmod 640 " .. real)
    local result = session:call(COUNT, BARE)
    assert.same({ 2, "" }, { result.code, result.out })
    assert.truthy(result.err:find("can be read by others (-rw-r-----), and keys are in it; run: chmod 600 ", 1, true), result.err)
    assert.is_nil(result.err:find("mock-key", 1, true), result.err)
    os.remove(real) -- the file is made where the link leads to
    assert.equal(0, session:call("ampersand config set org x", BARE).code)
    assert.same({ "[default]\norg = x\n", "../real", "rw-------" },
      { command.read(real), lfs.symlinkattributes(CONFIG, "target"), lfs.attributes(real, "permissions") })
  end)
end)

describe("variables", function()
  it("are read without blanks and line ends around them", function()
    for _, around in ipairs { " ", "\n", "\r\n", "\t" } do
      local result = session:call(COUNT, {
        AMP_API_KEY = "mock-key" .. around, AMPERSAND_PROJECT_ID = around .. "my-project", AMP_API_URL = server.url .. around,
        AMPERSAND_INTEGRATION_ID = "salesforce" .. around,
      })
      assert.same({ "5\n", "", 0 }, { result.out, result.err, result.code })
    end
    assert.equal(4, session:call(COUNT, { AMP_API_KEY = " \n", XDG_CONFIG_HOME = "/nowhere" }).code)
    assert.equal("5\n", session:call(COUNT, { AMP_API_KEY = " ", AMPERSAND_API_KEY = "mock-key" }).out)
  end)
end)

describe("an explicit --profile", function()
  it("wins over variables, and is won over by flags", function()
    local text = file_of "[other]\nintegration = hubspot\nkey = wrong-key\n"
    local function count(flags, more, input) return with_file(text, COUNT .. flags, more, input) end
    assert.equal(4, count(" --profile other").code)
    assert.equal("5\n", count("", { AMPERSAND_PROFILE = "other" }).out) -- variables win over its settings
    assert.equal("3\n", count(" --profile other --key -", nil, "mock-key\n").out)
    local shown = with_file(text, "ampersand config show --profile other").out
    assert.truthy(shown:find("integration  hubspot  (profile other)\n", 1, true), shown)
    assert.truthy(shown:find("project      my-project  (AMPERSAND_PROJECT_ID)\n", 1, true), shown)
    assert.equal(2, count(" --profile none").code)
  end)
end)

describe("the configuration file", function()
  it("may have a byte order mark, Windows line ends, quotes and comments", function()
    for _, text in ipairs {
      "\239\187\191" .. file_of(), (file_of():gsub("\n", "\r\n")), "# mine\n; ours\n" .. file_of "# the end",
      (file_of():gsub("= (%S+)", '= "%1"')), (file_of():gsub("= (%S+)", "= '%1'  # a comment")),
      (file_of():gsub("= (%S+)", "= %1 ; a comment")), (file_of():gsub("%[default%]", " [ default ] # this one")),
    } do
      local result = with_file(text, COUNT, BARE)
      assert.same({ "5\n", "", 0 }, { result.out, result.err, result.code }, text)
    end
    local shown = with_file("[default]\nproject = \"a # b\" # c\norg = a#b\nintegration = # none\n", "ampersand config show", BARE)
    assert.truthy(shown.out:find("project      a # b  (", 1, true), shown.out)
    assert.truthy(shown.out:find("org          a#b  (", 1, true), shown.out)
    assert.truthy(shown.out:find("integration  -\n", 1, true), shown.out)
  end)

  it("is made for its owner alone, with its folders, and keeps every setting of commands that run at the same time", function()
    local names, folder = { "project", "integration", "org", "region" }, session.home .. "/new"
    local script = { "umask 0" }
    for _, name in ipairs(names) do -- each of them a single process
      script[#script + 1] = ("$LUA -e 'os.execute, io.popen = nil' bin/ampersand config set %s x-%s &"):format(name, name)
    end
    session:run(table.concat(script, "\n") .. "\nwait", { XDG_CONFIG_HOME = folder .. "/er" })
    local text = command.read(folder .. "/er/ampersand/config")
    for _, name in ipairs(names) do assert.truthy(text:find(("%s = x-%s\n"):format(name, name), 1, true), text) end
    for path, permissions in pairs {
      [""] = "rwx------", ["/er"] = "rwx------", ["/er/ampersand"] = "rwx------", ["/er/ampersand/config"] = "rw-------",
      ["/er/ampersand/config.lock"] = "rw-------",
    } do
      assert.equal(permissions, lfs.attributes(folder .. path, "permissions"), path)
    end
  end)

  it("is read once no other command changes it, which a command waits for five seconds at most", function()
    local append_file, now, late = core.append_file, core.now, 0
    finally(function() core.append_file, core.now = append_file, now end)
    local text = file_of()
    command.write(CONFIG, text)
    local held = assert(append_file(CONFIG .. ".lock"))
    core.now = function()
      late = late + 1
      return now() + late
    end
    local result = session:call("ampersand config set org x", BARE)
    assert.equal(1, result.code)
    assert.truthy(result.err:find("/config is being changed by another command\n", 1, true), result.err)
    assert.equal(text, command.read(CONFIG))
    core.append_file = function(name)
      local file, why, locked = append_file(name)
      if locked then -- by the other command, which now ends
        text = file_of "region = eu\n"
        command.write(CONFIG, text)
        held:close()
      end
      return file, why, locked
    end
    assert.equal(0, session:call("ampersand config set org x", BARE).code)
    assert.equal(text .. "org = x\n", command.read(CONFIG))
  end)

  it("is as it was where the disk is full, or its folder cannot be made", function()
    command.write(CONFIG, file_of())
    -- no file may grow, not even those that a spec reads a command's output from
    local result = session:run("{ (trap '' XFSZ; ulimit -f 0; ampersand config set org x) 2>&1; echo $?; } | cat", BARE)
    assert.equal(("ampersand: %s.new cannot be written: File too large\n1\n"):format(CONFIG), result.out)
    assert.equal(file_of(), command.read(CONFIG))
    result = session:call("ampersand config set org x", { XDG_CONFIG_HOME = "/dev/null" })
    assert.same({ 1, "ampersand: /dev/null/ampersand/config cannot be written: Not a directory\n" }, { result.code, result.err })
    result = session:call("ampersand config set org x", { XDG_CONFIG_HOME = "/dev/pts/none/below" })
    assert.equal(1, result.code)
    assert.matches("^ampersand: /dev/pts/none/below/ampersand/config cannot be written: %u", result.err)
    assert.not_matches("No such file", result.err, 1, true) -- which is the folder below, not the reason
  end)

  it("stays a link where that leads nowhere", function()
    local home = session.home .. "/linked"
    local path = home .. "/ampersand/config"
    core.make_private(home .. "/ampersand/.")
    for target, why in pairs { ["none/config"] = "No such file or directory", config = "Too many levels of symbolic links" } do
      os.remove(path)
      lfs.link(target, path, true)
      local result = session:call("ampersand config set org x", { XDG_CONFIG_HOME = home })
      assert.same({ 1, ("ampersand: %s cannot be written: %s\n"):format(path, why) }, { result.code, result.err })
      assert.equal("link", lfs.symlinkattributes(path, "mode"))
    end
  end)

  it("that cannot be read is not taken for none", function()
    local open = io.open
    finally(function() io.open = open end) -- luacheck: ignore 122
    command.write(CONFIG, file_of())
    io.open = function(name, mode) -- luacheck: ignore 122 (as where it is another user's)
      if name == CONFIG and mode == "r" then return nil, name .. ": Permission denied", 13 end
      return open(name, mode)
    end
    for line, code in pairs { ["config set org x"] = 2, [COUNT:match " (.*)"] = 2, doctor = 1 } do
      local result = session:call("ampersand " .. line)
      assert.equal(code, result.code, result.err)
      assert.truthy((result.out .. result.err):find(CONFIG .. " cannot be read: Permission denied\n", 1, true), result.err)
    end
    collectgarbage() -- lets go of the lock, as the end of a process does
    assert.equal(file_of(), command.read(CONFIG))
  end)

  it("keeps its comments and order when a setting changes, and gives back what was set", function()
    local text = "# mine\n\n[default]\n# where\nproject = p # old\nkey = 'k'\n\n[other]\norg = o\n"
    local function after(script)
      local result = with_file(text, script, BARE)
      assert.equal(0, result.code, result.err)
      return command.read(CONFIG)
    end
    assert.equal((text:gsub("p # old", "q")), after "ampersand config set project q")
    assert.equal((text:gsub("key = 'k'\n", "%0integration = i\n")), after "ampersand config set integration i")
    assert.equal((text:gsub("key = 'k'\n", "")), after "ampersand config unset key")
    assert.equal(text .. "\n[new]\norg = n\n", after "ampersand config set org n --profile new")
    assert.equal(text, after "ampersand config unset org")
    for _, value in ipairs { "a # b", "it's", 'say "x"', "#", ";x", "  in  ", "a#b", "株式会社" } do
      assert.equal(0, with_file(text, "ampersand config set org " .. command.quote(value), BARE).code)
      local shown = session:call("ampersand config show", BARE).out
      assert.truthy(shown:find("org          " .. value .. "  (", 1, true), value .. ": " .. shown)
    end
    local refused = with_file(text, [[ampersand config set org "it's "\"x\"]], BARE)
    assert.equal(1, refused.code)
    assert.equal(text, command.read(CONFIG))
  end)
end)

describe("a private file", function()
  it("is not made where there is one, and not where none can be", function()
    local path = session.home .. "/private"
    assert.equal(path, core.make_private(path))
    os.execute(("chmod 604 %s; exec mkfifo -m 600 %s.pipe"):format(path, path))
    for name, permissions in pairs {
      [path] = "-rw----r--", [path .. ".pipe"] = "prw-------", ["/dev/null"] = "crw-rw-rw-", ["/"] = "drwxr-xr-x",
    } do
      assert.equal(name, core.make_private(name))
      assert.equal(permissions, core.permissions(name))
    end
    lfs.link("private.link", path .. ".link", true) -- to itself
    for _, name in ipairs { "", "/dev/null/x", path .. "/x", path .. ".link", path .. ("/x"):rep(5000) } do
      assert.is_nil(core.make_private(name))
      assert.is_nil(core.permissions(name))
    end
  end)
end)
