--- Settings: flags, the environment, and the profiles of the configuration file.
--
-- The file is `$XDG_CONFIG_HOME/ampersand/config`: profiles in brackets, `name = value` lines, comments behind `#` or
-- `;`. It holds keys: a file that others can read is refused. What is wrong with it ends the command.

local argcheck = require "ampersand.util.argcheck"
local core = require "ampersand.core"
local environment = require "ampersand.util.environment"
local exit = require "ampersand.cli.exit"
local redact = require "ampersand.util.redact"
local shell = require "ampersand.cli.shell"
local url = require "ampersand.util.url"

local config = {}

-- Why a region is not one; nil when it is.
local function check_region(text)
  local _, why = url.region(text)
  return why and ("the region %q %s"):format(text, why)
end

--- Why the library does not take a URL; nil when it does.
---@param text string
---@return string?
function config.check_url(text)
  local _, why = url.check(url.base(text), false)
  return why and ("the URL %s %s"):format(redact.url(text), (why:gsub(", or set allow_insecure_http.*", "")))
end

--- What a profile may hold: its name, the option of ampersand.new, whether it is secret, what is wrong with a value.
config.SETTINGS = {
  { name = "key", option = "api_key", secret = true }, { name = "bearer", option = "bearer", secret = true },
  { name = "url", option = "base_url", check = config.check_url }, { name = "project", option = "project" },
  { name = "integration", option = "integration" }, { name = "org", option = "org" },
  { name = "region", option = "region", check = check_region },
}

local by_name = {}
for _, setting in ipairs(config.SETTINGS) do by_name[setting.name] = setting end

--- The setting of that name.
---@param name string
---@return table
function config.setting(name)
  return by_name[name]
    or exit.usage(("unknown setting %q; %s"):format(name, argcheck.hint(name, argcheck.names(by_name))))
end

--- Where the file is.
---@return string? path nil when there is no home
function config.path()
  local base, home = environment.get "XDG_CONFIG_HOME", environment.get "HOME"
  base = base or home and home .. "/.config"
  return base and base .. "/ampersand/config"
end

--- The permissions of a file, or of what a link leads to, where others than its owner have some: "-rw-r--r--".
---@param path string
---@return string? open
---@return boolean exists
function config.open_to_others(path)
  local permissions = core.permissions(path)
  return permissions and permissions:sub(5) ~= "------" and permissions or nil, permissions ~= nil
end

-- The file -----------------------------------------------------------------------------------------------------------

-- A value as it stands: in quotes, or up to a comment behind a blank.
local function value_of(text)
  local mark, quoted = text:match "^([\"'])(.-)%1%s*$"
  if not mark then mark, quoted = text:match "^([\"'])(.-)%1%s+[#;]" end
  return mark and quoted or (text:gsub("%s+[#;].*$", ""):gsub("^[#;].*$", ""))
end

local function line_for(name, value)
  local plain = not value:find "[\"'#;]" and value:match "^%s*(.-)%s*$" == value
  local mark = value:find('"', 1, true) and "'" or '"'
  return ("%s = "):format(name) .. (plain and value or mark .. value .. mark)
end

local function section_of(line)
  return line:match "^%s*%[%s*([%w_.-]+)%s*%]%s*$" or line:match "^%s*%[%s*([%w_.-]+)%s*%]%s*[#;]"
end

local MAX_BYTES = 2 ^ 20

-- Lua's reason may begin with the path.
local function fail(code, path, what, why)
  exit.with(code, ("%s cannot be %s: %s"):format(path, what, (why:gsub("^.*: ", ""))))
end

-- The lines of the file, without the byte order mark and the line ends of Windows editors.
local function read_lines()
  local path, lines = config.path(), {}
  if not (path and core.permissions(path)) then return lines end -- it is not there
  local file, why = io.open(path, "r")
  local text
  if file then
    text, why = file:read(MAX_BYTES + 1)
    file:close()
  end
  if why then fail(exit.USAGE, path, "read", why) end
  text = text or "" -- an empty file
  if #text > MAX_BYTES then exit.usage(("%s is longer than %d bytes"):format(path, MAX_BYTES)) end
  local open = config.open_to_others(path)
  if open then
    local words = "%s can be read by others (%s), and keys are in it; run: chmod 600 %s"
    exit.usage(words:format(path, open, shell.quote(path)))
  end
  for line in (text:gsub("^\239\187\191", "") .. "\n"):gmatch "(.-)\r?\n" do lines[#lines + 1] = line end
  return lines
end

-- lines -> profiles by name and their order
local function parse(lines)
  local profiles, order, profile = {}, {}, nil
  for number, line in ipairs(lines) do
    local section = section_of(line)
    local name, text = line:match "^%s*([%w_]+)%s*=%s*(.-)%s*$"
    if section then
      if not profiles[section] then order[#order + 1] = section end
      profile = profiles[section] or {}
      profiles[section] = profile
    elseif name and profile and by_name[name] then
      profile[name] = value_of(text)
    elseif line:find "%S" and not line:match "^%s*[#;]" then
      local why = name and profile and ("unknown setting %q"):format(name) or "expected [profile] or name = value"
      exit.usage(("%s, line %d: %s"):format(config.path(), number, why))
    end
  end
  return profiles, order
end

--- Reads the file.
---@return table profiles by name; empty when there is no file
---@return string[] order
function config.load()
  return parse(read_lines())
end

-- Waits for another command that changes the file: each would undo what the other has set.
local function lock(path)
  local name, started = path .. ".lock", core.now()
  core.make_private(name)
  repeat
    local file, why, locked = core.append_file(name)
    if file then return file end
    if not locked then fail(exit.FAILURE, name, "written", why) end
    require "ampersand.transport.curl".new():sleep(0.05)
  until core.now() - started > 5
  exit.with(exit.FAILURE, path .. " is being changed by another command")
end

-- Readable for its owner alone from the start, and whole or not there. A link stays one.
local function write(path, text)
  local new = path .. ".new"
  os.remove(new)
  local file, why = core.make_private(new)
  if file then file, why = io.open(new, "w") end
  local ok = file
  if ok then ok, why = file:write(text) end
  if ok then ok, why = file:close() end
  if ok then ok, why = os.rename(new, path) end
  if not ok then fail(exit.FAILURE, new, "written", why) end
end

-- Changes the line of a setting, or adds it below the last line of its profile; comments stay.
local function replace(lines, profile, name, value)
  local inside, last
  for i, line in ipairs(lines) do
    local section = section_of(line)
    if section then inside = section == profile end
    if inside and line:find "%S" then last = i end
    if inside and line:match "^%s*([%w_]+)%s*=" == name then
      if value then lines[i] = line_for(name, value) else table.remove(lines, i) end
      return
    end
  end
  if not value then return end
  if not last then
    if lines[#lines] == "" then lines[#lines] = nil end
    if #lines > 0 then lines[#lines + 1] = "" end
    lines[#lines + 1] = ("[%s]"):format(profile)
    last = #lines
  end
  table.insert(lines, last + 1, line_for(name, value))
end

--- Changes one setting of one profile; nil as value removes it.
---@param profile string
---@param name string
---@param value string?
function config.set(profile, name, value)
  local path, problem = config.path(), nil
  if not path then
    problem = "neither XDG_CONFIG_HOME nor HOME is set"
  elseif not profile:match "^[%w_.-]+$" then
    problem = ("%q cannot be a profile's name"):format(profile)
  elseif value and (value:find "[%c]" or value:find '"' and value:find "'") then
    problem = "a value is one line, with quotes of one kind"
  end
  if problem then exit.with(exit.FAILURE, problem) end
  local real, why = core.make_private(path)
  if not real then fail(exit.FAILURE, path, "written", why) end
  path = real
  local held = lock(path)
  local lines = read_lines()
  parse(lines)
  replace(lines, profile, name, value)
  write(path, table.concat(lines, "\n"):gsub("\n+$", "") .. "\n")
  held:close()
end

-- What holds ---------------------------------------------------------------------------------------------------------

--- The name of the profile in use.
---@param wanted string? by --profile
function config.profile(wanted)
  return wanted or environment.get "AMPERSAND_PROFILE" or "default"
end

-- The profile asked for must exist; the one called "default" need not.
local function choose(wanted, create)
  local profiles, order = config.load()
  local name = config.profile(wanted)
  if profiles[name] or create or name == "default" and not wanted then return profiles[name] or {}, name end
  local known = #order > 0 and argcheck.hint(name, order) or "it has no profile yet; `ampersand config set` makes one"
  exit.usage(("no profile %q in %s; %s"):format(name, config.path() or "the configuration", known))
end

--- Settles what holds: flags, then the profile named by --profile, then the environment, then the profile that
--- AMPERSAND_PROFILE names, or "default".
---@param flags table setting name -> value
---@param wanted string? the profile of --profile
---@param create boolean? the profile need not be there yet
---@return table values option of ampersand.new -> value, as it was given
---@return table sources setting name -> words
function config.settle(flags, wanted, create)
  local profile, name = choose(wanted, create)
  local values, sources = {}, {}
  for _, setting in ipairs(config.SETTINGS) do
    local saved = profile[setting.name] ~= "" and profile[setting.name] or nil
    local variable, variable_name = environment.option(setting.option)
    local value, source = flags[setting.name], "--" .. setting.name
    if not value and wanted and saved then value, source = saved, "profile " .. name end
    if not value and variable then value, source = variable, variable_name end
    if not value and saved then value, source = saved, "profile " .. name end
    values[setting.option], sources[setting.name] = value, value and source
  end
  return values, sources
end

return config
