# Runs a formula without Homebrew: ruby formula.rb FORMULA SYSTEM CPU UNPACKED PREFIX
# Only the words of Homebrew that the formula uses, with their meaning; another word is an error. Prints the download
# of this system and the service as JSON, installs the unpacked archive into PREFIX, and runs the formula's own test.
require "fileutils"
require "json"
require "pathname"
require "tmpdir"

FORMULA, SYSTEM, CPU, UNPACKED, PREFIX = ARGV

class Pathname
  def install(*sources)
    mkpath
    sources.flatten.each { |source| FileUtils.cp_r(source, self, preserve: true) }
  end
end

class Service
  attr_reader :said

  def initialize
    @said = {}
  end

  def opt_bin = Formula::ROOT / "bin"
  def var = Formula::ROOT / "var"
  def std_service_path_env = "#{Formula::ROOT}/bin:/usr/bin:/bin:/usr/sbin:/sbin"
  def run(words) = @said[:run] = words.map(&:to_s)
  def keep_alive(how) = @said[:keep_alive] = how
  def environment_variables(all) = @said[:environment] = all
  def error_log_path(path) = @said[:error_log_path] = path.to_s
end

class Formula
  ROOT = Pathname(PREFIX)

  class << self
    attr_reader :chosen, :tests, :services

    %i[desc homepage version license].each do |word|
      define_method(word) { |value = nil| value ? said[word] = value : said[word] }
    end
    %i[url sha256].each { |word| define_method(word) { |value| said[word] = value } }

    def said = @said ||= {}
    def on_macos(&) = SYSTEM == "darwin" ? instance_eval(&) : nil
    def on_linux(&) = SYSTEM == "linux" ? instance_eval(&) : nil
    def on_arm(&) = CPU == "arm64" ? instance_eval(&) : nil
    def on_intel(&) = CPU == "x64" ? instance_eval(&) : nil
    def service(&block) = @services = block
    def test(&block) = @tests = block
  end

  def version = self.class.version
  def prefix = ROOT
  def bin = ROOT / "bin"
  def man1 = ROOT / "share/man/man1"
  def bash_completion = ROOT / "etc/bash_completion.d"
  def zsh_completion = ROOT / "share/zsh/site-functions"
  def fish_completion = ROOT / "share/fish/vendor_completions.d"

  def shell_output(command)
    text = `#{command}`
    $?.success? ? text : raise("#{command} ended with #{$?.exitstatus}")
  end

  def assert_match(part, text) = text.include?(part) || raise("#{part.inspect} is not in #{text.inspect}")
  def assert_path_exists(path) = path.exist? || raise("#{path} does not exist")
end

load FORMULA
formula = Dispatch.new
Dir.chdir(UNPACKED) { formula.install }
Dir.mktmpdir { |folder| Dir.chdir(folder) { formula.instance_eval(&Dispatch.tests) } } if RUBY_PLATFORM.include?(SYSTEM)
service = Service.new
service.instance_eval(&Dispatch.services)
puts JSON.generate(Dispatch.said.merge(service: service.said, caveats: formula.caveats))
