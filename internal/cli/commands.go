package cli

// commands are all there is, in the order of the help page.
func commands() []command {
	return []command{
		demoCommand(),
		initCommand(),
		validateCommand(),
		runCommand(),
		abCommand(),
		calibrateCommand(),
		compareCommand(),
		mergeCommand(),
		gateCommand(),
		ciCommand(),
		ciReportCommand(),
		ciStoreCommand(),
		reportCommand(),
		acceptCommand(),
		baselineSet(),
		baselineShow(),
		baselineList(),
		baselinePrune(),
		baselineExport(),
		baselineImport(),
		waitCommand(),
		explainCommand(),
		schemaCommand(),
		importCurl(),
		importOpenAPI(),
		importHAR(),
		importArtillery(),
		benchCommand(),
		doctorCommand(),
		versionCommand(),
	}
}
