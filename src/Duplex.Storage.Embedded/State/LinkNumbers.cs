using System.Globalization;
using Duplex.Storage.Embedded.Commits;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.State;

/// <summary>
/// Gives link numbers without asking the disk: a range is reserved at open, and the next one long before it is used up.
/// A number that was given and not stored is never given again.
/// </summary>
internal sealed class LinkNumbers
{
    private const long RangeSize = 1 << 20;
    private const string Name = "links_reserved";

    private readonly Database _database;
    private long _last;
    private long _reserved;
    private int _extending;

    private LinkNumbers(Database database, long last)
    {
        _database = database;
        _last = last;
        _reserved = last;
    }

    /// <summary>Reserves the first range.</summary>
    public static LinkNumbers Open(Database database)
    {
        var reserved = database.Prepared(StateSql.ReadMeta).Bind(1, Name)
            .First(static row => long.Parse(row.Text(0), CultureInfo.InvariantCulture));
        var stored = database.Prepared("SELECT max(id) FROM link").Scalar() ?? 0;
        var numbers = new LinkNumbers(database, Math.Max(reserved, stored));
        try
        {
            numbers._reserved = numbers.Reserve();
        }
        catch (SqliteException e) when (StorageFault.IsFull(e))
        {
            // The first number that is asked for reserves again; nothing that carries it can be stored before that.
        }

        return numbers;
    }

    public long Next(GroupWriter writer)
    {
        var number = Interlocked.Increment(ref _last);
        if (number > Volatile.Read(ref _reserved) - (RangeSize / 2) && Interlocked.Exchange(ref _extending, 1) == 0)
        {
            _ = ExtendAsync(writer);
        }

        return number;
    }

    private async Task ExtendAsync(GroupWriter writer)
    {
        try
        {
            Volatile.Write(ref _reserved, await writer.RunAsync(new ActionRequest<long>(Reserve))
                .ConfigureAwait(false));
        }
        catch (Exception e) when (e is Sdk.SyncException or ObjectDisposedException)
        {
            // Half a range is left; a later call tries again.
        }
        finally
        {
            Volatile.Write(ref _extending, 0);
        }
    }

    private long Reserve()
    {
        var until = Math.Max(Volatile.Read(ref _last), Volatile.Read(ref _reserved)) + RangeSize;
        _database.Prepared(StateSql.PutMeta).Bind(1, Name).Bind(2, until.ToString(CultureInfo.InvariantCulture)).Run();
        return until;
    }
}
