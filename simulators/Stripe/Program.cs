using Duplex.Simulators.Stripe;

if (args.Contains("--help"))
{
    Console.WriteLine(CommandLine.Usage);
    return 0;
}

try
{
    var (options, faults) = CommandLine.Parse(args);
    await using var simulator = await StripeSimulator.StartAsync(options);
    foreach (var fault in faults)
    {
        simulator.AddFault(fault);
    }

    Console.WriteLine($"Stripe simulator listening on {simulator.BaseAddress}");
    await simulator.WaitForShutdownAsync();
    return 0;
}
catch (Exception wrong) when (wrong is FormatException or IOException)
{
    Console.Error.WriteLine(wrong.Message);
    Console.Error.WriteLine("Try --help.");
    return 3;
}
