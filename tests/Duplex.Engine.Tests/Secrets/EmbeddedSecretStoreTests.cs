using System.Text;
using System.Text.Json.Nodes;
using Duplex.Engine.Secrets;
using Duplex.Sdk;

namespace Duplex.Engine.Tests.Secrets;

public sealed class EmbeddedSecretStoreTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("duplex-secrets-").FullName;
    private readonly Dictionary<string, string?> _environment = [];

    private string StoreFile => Path.Combine(_directory, "secrets.json");

    private string KeyFile => Path.Combine(_directory, "secret.key");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_secret_is_read_back_listed_without_its_value_and_deleted()
    {
        Open().Set("stripe", "sk_canary_1");
        Open().Set("acme/hook", "whsec_canäry");
        Open().Set("stripe", "sk_canary_2");

        Open().Get("stripe").ShouldBe("sk_canary_2");
        Open().Get("acme/hook").ShouldBe("whsec_canäry");
        Open().Get("nothing").ShouldBeNull();
        Open().List().Select(static s => (s.Name, s.Version)).ShouldBe([("acme/hook", 1), ("stripe", 2)]);
        Open().Delete("stripe").ShouldBeTrue();
        Open().Delete("stripe").ShouldBeFalse();
        Open().Get("stripe").ShouldBeNull();
    }

    [Fact]
    public void Nothing_of_a_secret_lies_on_disk_and_nobody_else_may_read_the_key()
    {
        Open().Set("stripe", "sk_canary_1");

        foreach (var file in Directory.GetFiles(_directory))
        {
            Encoding.Latin1.GetString(File.ReadAllBytes(file)).ShouldNotContain("canary");
        }

        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(KeyFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.GetUnixFileMode(StoreFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
            Should.Throw<SyncException>(() => Open().Get("stripe")).Error.Suggestion.ShouldBe($"chmod 600 {KeyFile}");
        }
    }

    [Fact]
    public void A_store_that_is_empty_makes_no_files_when_it_is_read()
    {
        Open().List().ShouldBeEmpty();
        Open().Get("x").ShouldBeNull();
        Directory.GetFiles(_directory).ShouldBeEmpty();
    }

    [Fact]
    public void Any_byte_changed_in_the_store_is_noticed()
    {
        Open().Set("a", "one");
        Open().Set("b", "two");
        var good = File.ReadAllBytes(StoreFile);
        var noticed = 0;
        for (var i = 0; i < good.Length; i++)
        {
            var bad = good.ToArray();
            bad[i] ^= 1;
            File.WriteAllBytes(StoreFile, bad);
            try
            {
                var values = (Open().Get("a"), Open().Get("b"), Open().List().Count);
                values.ShouldBe(("one", "two", 2), $"byte {i}");
            }
            catch (SyncException e)
            {
                e.Error.Code.ShouldBe(ErrorCode.StorageUnreadable);
                noticed++;
            }
        }

        noticed.ShouldBeGreaterThan(good.Length / 2);
        File.WriteAllBytes(StoreFile, good);
        Open().Get("a").ShouldBe("one");
    }

    [Fact]
    public void An_entry_removed_or_put_under_another_name_is_noticed()
    {
        Open().Set("a", "one");
        Open().Set("b", "two");
        var root = JsonNode.Parse(File.ReadAllText(StoreFile))!;
        var secrets = root["secrets"]!.AsArray();

        secrets[0]!["name"] = "c";
        File.WriteAllText(StoreFile, root.ToJsonString());
        Should.Throw<SyncException>(() => Open().Get("c"));

        secrets.RemoveAt(0);
        File.WriteAllText(StoreFile, root.ToJsonString());
        Should.Throw<SyncException>(() => Open().Get("b"));
    }

    [Fact]
    public void Ciphertext_under_another_name_does_not_open_even_with_the_key()
    {
        var key = MasterKey.Of(new byte[MasterKey.Size]);
        var secret = SealedSecret.Seal(key, "acme/stripe", 1, 0, "one"u8.ToArray());

        secret.Open(key).ShouldBe("one"u8.ToArray());
        Should.Throw<SyncException>(() => (secret with { Name = "other/stripe" }).Open(key));
        Should.Throw<SyncException>(() => (secret with { Version = 2 }).Open(key));
    }

    [Fact]
    public void Rotation_keeps_every_secret_and_the_former_key_opens_nothing()
    {
        Open().Set("a", "one");
        var formerKey = File.ReadAllBytes(KeyFile);

        Open().RotateKey();

        Open().Get("a").ShouldBe("one");
        File.ReadAllBytes(KeyFile).ShouldNotBe(formerKey);
        File.WriteAllBytes(KeyFile, formerKey);
        Should.Throw<SyncException>(() => Open().Get("a")).Error.Code.ShouldBe(ErrorCode.StorageUnreadable);
    }

    [Fact]
    public void A_crash_between_the_steps_of_a_rotation_loses_nothing()
    {
        Open().Set("a", "one");
        var formerKey = File.ReadAllBytes(KeyFile);
        Open().RotateKey();
        File.Move(KeyFile, KeyFile + ".next");
        File.WriteAllBytes(KeyFile, formerKey);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        Open().Get("a").ShouldBe("one");
        Open().Set("b", "two");

        File.Exists(KeyFile + ".next").ShouldBeFalse();
        Open().Get("a").ShouldBe("one");
        Open().Get("b").ShouldBe("two");
    }

    [Fact]
    public void A_rotation_that_stopped_before_its_switch_loses_nothing()
    {
        Open().Set("a", "one");
        File.Copy(KeyFile, KeyFile + ".next");

        Open().Get("a").ShouldBe("one");
        Open().RotateKey();
        Open().Get("a").ShouldBe("one");
        File.Exists(KeyFile + ".next").ShouldBeFalse();
    }

    [Fact]
    public void The_key_may_come_from_the_environment_and_be_changed_there()
    {
        _environment["DUPLEX_KEY"] =
            Convert.ToBase64String(Enumerable.Range(0, 32).Select(static i => (byte)i).ToArray());
        Open().Set("a", "one");
        File.Exists(KeyFile).ShouldBeFalse();
        Should.Throw<SyncException>(() => Open().RotateKey()).Error.Suggestion!.ShouldContain("DUPLEX_KEY_PREVIOUS");

        _environment["DUPLEX_KEY_PREVIOUS"] = _environment["DUPLEX_KEY"];
        _environment["DUPLEX_KEY"] =
            Convert.ToHexString(Enumerable.Range(100, 32).Select(static i => (byte)i).ToArray());
        Open().Get("a").ShouldBe("one");
        Open().RotateKey();
        _environment.Remove("DUPLEX_KEY_PREVIOUS");
        Open().Get("a").ShouldBe("one");

        _environment["DUPLEX_KEY"] = "short";
        Should.Throw<SyncException>(() => Open().Get("a")).Error.Code.ShouldBe(ErrorCode.ConfigInvalid);
    }

    [Fact]
    public void Secrets_move_from_the_key_file_to_the_key_of_the_environment_with_the_next_write()
    {
        Open().Set("a", "one");
        _environment["DUPLEX_KEY"] = Convert.ToBase64String(new byte[32]);

        Open().Get("a").ShouldBe("one");
        Open().Set("b", "two");
        File.Delete(KeyFile);

        Open().Get("a").ShouldBe("one");
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a/b/c")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a\nb")]
    [InlineData("ä")]
    public void Names_are_plain(string name) => Should.Throw<ArgumentException>(() => Open().Set(name, "x"));

    [Fact]
    public void Writers_at_once_lose_nothing()
    {
        Parallel.For(0, 20, i => Open().Set($"s{i}", $"v{i}"));

        Enumerable.Range(0, 20).Select(i => Open().Get($"s{i}"))
            .ShouldBe(Enumerable.Range(0, 20).Select(static i => $"v{i}"));
    }

    private EmbeddedSecretStore Open() => new(_directory, _environment.GetValueOrDefault);
}
