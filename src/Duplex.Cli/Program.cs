using Duplex.Cli;

using var signals = new StopSignals();
return await DuplexCommand.RunAsync(args, Terminal.Standard(), signals.Token).ConfigureAwait(false);
