-- From the counts of `make coverage` to a report: lua5.4 .ci/coverage.lua build/coverage BUILD...
-- Fails below 95 % of the lines, and where a line that was not reached has no reason in .ci/uncovered.

local directory, builds = arg[1], { select(2, ...) }
local LEAST = 95
local REASONS = ".ci/uncovered"

local function lines_of(command)
  local pipe = assert(io.popen(command))
  local list = {}
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

local function source_lines(path)
  local list = {}
  for line in io.lines(path) do list[#list + 1] = line:match "^%s*(.-)%s*$" end
  return list
end

-- --- what was reached ------------------------------------------------------------------------

-- Notes what one build's counts say of a file: whether each line and each branch was reached in any of them.
local function add_counts(build, path, lines, branches)
  local ours, last, branch = false, nil, 0
  for _, line in ipairs(lines_of(("gcov -b -c -t -o %s/obj %s 2>/dev/null"):format(build, path))) do
    local count, number, rest = line:match "^%s*([^:]+):%s*(%d+):(.*)$"
    if number == "0" and rest:find "^Source:" then ours = rest == "Source:" .. path end
    if ours and line:find "^branch%s+%d+ " then
      branch = branch + 1
      local name = last .. " " .. branch
      branches[name] = branches[name] or line:find "taken [1-9]" ~= nil
    elseif ours and number and number ~= "0" and count ~= "-" then
      last, branch = tonumber(number), 0
      lines[last] = lines[last] or not count:find "^[#=]"
    end
  end
end

-- { path, all, missed = { line numbers }, branches, branches_missed }
local function c_file(path)
  local file, lines, branches = { path = path, all = 0, missed = {}, branches = 0, branches_missed = 0 }, {}, {}
  for _, build in ipairs(builds) do add_counts(build, path, lines, branches) end
  for number, seen in pairs(lines) do
    file.all = file.all + 1
    if not seen then file.missed[#file.missed + 1] = number end
  end
  for _, taken in pairs(branches) do
    file.branches = file.branches + 1
    if not taken then file.branches_missed = file.branches_missed + 1 end
  end
  table.sort(file.missed)
  return file
end

-- The mapped files of spec/support/line_coverage.c: a path of 120 bytes, then a byte for each of 1000 lines.
local reached = {}
for _, name in ipairs(lines_of(("find %s -name '*.lines'"):format(directory))) do
  local file = assert(io.open(name, "rb"))
  for record in function() return file:read(1120) end do
    local path = record:match "^[^%z]+"
    if not path then break end
    for at in record:sub(121):gmatch "()1" do reached[path .. " " .. at - 1] = true end
  end
  file:close()
end

local function lua_file(path)
  local file, seen, source = { path = path, all = 0, missed = {} }, {}, source_lines(path)
  for _, line in ipairs(lines_of("luac5.4 -l -p " .. path)) do
    local number, instruction = line:match "^%s+%d+%s+%[(%d+)%]%s+(%u+)"
    -- closing tokens and the preparation of varargs are not counted as lines
    number = tonumber(number)
    local none = instruction == "RETURN" or instruction == "RETURN0" or instruction == "VARARGPREP"
    if number and not none and not source[number]:find "^end[,%)}]*$" then seen[number] = true end
  end
  for number in pairs(seen) do
    file.all = file.all + 1
    if not reached[path .. " " .. number] then file.missed[#file.missed + 1] = number end
  end
  table.sort(file.missed)
  return file
end

-- --- the reasons -----------------------------------------------------------------------------

-- { ["path: function"] = lines }: how many lines of a function may stay unreached. A reason begins with "# " and holds
-- for the entries below it, "path: function lines".
local function read_reasons()
  local allowed, reason = {}, false
  for line in io.lines(REASONS) do
    local entry, count = line:match "^(%S+: %S+) (%d+)$"
    if line:find "^# " then
      reason = true
    elseif line ~= "" then
      assert(reason and entry, REASONS .. ": not `path: function lines` below a reason: " .. line)
      allowed[entry] = (allowed[entry] or 0) + tonumber(count)
    end
  end
  return allowed
end

local allowed = read_reasons()
local problems = {}

-- { line number = "path: function" }: the function that begins last before it.
local function functions_of(path)
  local names, name, number = {}, "-", 0
  for line in io.lines(path) do
    number = number + 1
    if path:find "%.lua$" then
      name = line:match "^%s*local function ([%w_]+)" or line:match "^%s*function ([%w_.:]+)"
        or line:match "^%s*local ([%w_]+) = function" or line:match "^%s*([%w_.]+) = function" or name
    elseif not line:find "^[#}]" and not line:find ";" then
      name = line:match "^[%a_].-([%a_][%w_]*)%(" or name
    end
    names[number] = path .. ": " .. name
  end
  return names
end

-- A reason for a removed function would hide a later function of the same name.
local function check_reasons()
  local known, read = {}, {}
  for entry in pairs(allowed) do
    local path = entry:match "^(%S+): "
    if not read[path] then
      for _, name in ipairs(io.open(path) and functions_of(path) or {}) do known[name] = true end
      read[path] = true
    end
    if not known[entry] then problems[#problems + 1] = REASONS .. " names what is not there: " .. entry end
  end
end

-- --- the report ------------------------------------------------------------------------------

local function ranges(numbers)
  local list = {}
  for _, n in ipairs(numbers) do
    local last = list[#list]
    if last and last[2] == n - 1 then last[2] = n else list[#list + 1] = { n, n } end
  end
  for i, range in ipairs(list) do
    list[i] = range[1] == range[2] and tostring(range[1]) or range[1] .. "-" .. range[2]
  end
  return table.concat(list, ", ")
end

local function unexplained(file)
  local names, missed = functions_of(file.path), {}
  for _, number in ipairs(file.missed) do
    local name = names[number]
    missed[name] = missed[name] or {}
    table.insert(missed[name], number)
  end
  for name, numbers in pairs(missed) do
    if #numbers > (allowed[name] or 0) then
      problems[#problems + 1] = ("%s %d: not reached, and %d have a reason (lines %s)"):format(name, #numbers,
        allowed[name] or 0, ranges(numbers))
    end
  end
end

local function percent(missed, all)
  return 100 * (1 - missed / math.max(all, 1))
end

local out = assert(io.open(directory .. "/REPORT.md", "w"))
local function report(title, files)
  local all, missed, branches, branches_missed = 0, 0, 0, 0
  local rows = {}
  for _, file in ipairs(files) do
    unexplained(file)
    all, missed = all + file.all, missed + #file.missed
    branches, branches_missed = branches + (file.branches or 0), branches_missed + (file.branches_missed or 0)
    local branch = file.branches and ("%.1f"):format(percent(file.branches_missed, file.branches)) or ""
    rows[#rows + 1] = ("| %s | %.1f | %d | %s | %s |"):format(
      file.path, percent(#file.missed, file.all), file.all, branch, ranges(file.missed))
  end
  local total = ("%s: %.1f %% of %d lines"):format(title, percent(missed, all), all)
  if branches > 0 then
    total = ("%s, %.1f %% of %d branches"):format(total, percent(branches_missed, branches), branches)
  end
  print(total)
  out:write("## ", total, "\n\n| file | % | lines | % of branches | not reached |\n|---|---|---|---|---|\n")
  out:write(table.concat(rows, "\n"), "\n\n")
  if percent(missed, all) < LEAST then
    problems[#problems + 1] = ("%s: below %d %% of the lines"):format(title, LEAST)
  end
end

local c, lua = {}, {}
for _, path in ipairs(lines_of "ls src/*.c | grep -v lua_preload") do c[#c + 1] = c_file(path) end
for _, path in ipairs(lines_of "find lua -name '*.lua' ! -name types.lua | sort") do lua[#lua + 1] = lua_file(path) end
report("C", c)
report("Lua", lua)
out:close()
check_reasons()
table.sort(problems)
for _, problem in ipairs(problems) do print(problem) end
print(directory .. "/REPORT.md")
os.exit(#problems == 0)
