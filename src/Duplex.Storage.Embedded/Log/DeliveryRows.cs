using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.Log;

/// <summary>
/// The delivery ids that topics hold: a row for each name, with its digest behind it. Used on the writer's thread.
/// </summary>
internal sealed class DeliveryRows(Database database)
{
    /// <summary>Notes an id. False if the topic holds one of its names.</summary>
    public bool Take(Topic topic, string id)
    {
        if (DeliveryId.IsPlain(id))
        {
            return Insert(topic, id);
        }

        if (DeliveryId.Names(id).Any(part => Find(topic, part.Name) is not null))
        {
            return false;
        }

        foreach (var (name, digest) in DeliveryId.Names(id))
        {
            Insert(topic, digest is null ? name : DeliveryId.Of(name, digest));
        }

        return true;
    }

    /// <summary>Whether the topic holds one of the id's names under another digest.</summary>
    public bool IsOther(Topic topic, string id)
    {
        foreach (var (name, digest) in DeliveryId.Names(id))
        {
            // What has no digest was stored by a version that made none: it is a repeat.
            if (digest is not null && Find(topic, name) is { } held && held != name
                && held != DeliveryId.Of(name, digest))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Forgets an id.</summary>
    public void Remove(Topic topic, string id)
    {
        foreach (var (name, digest) in DeliveryId.Names(id))
        {
            database.Prepared(LogSql.DeleteDelivery).Bind(1, topic.Id)
                .Bind(2, digest is null ? name : DeliveryId.Of(name, digest)).Run();
        }
    }

    private bool Insert(Topic topic, string row)
    {
        database.Prepared(LogSql.InsertDelivery).Bind(1, topic.Id).Bind(2, row).Run();
        return database.Changes > 0;
    }

    private string? Find(Topic topic, string name) =>
        database.Prepared(LogSql.FindDelivery).Bind(1, topic.Id).Bind(2, name)
            .Bind(3, DeliveryId.Of(name, "")).Bind(4, $"{name}{(char)(DeliveryId.BeforeDigest + 1)}")
            .First(static row => row.Text(0));
}
