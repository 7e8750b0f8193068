CREATE TABLE `artifact_inputs` (
	`id` integer PRIMARY KEY NOT NULL,
	`job_id` integer NOT NULL,
	`artifact_id` integer NOT NULL,
	FOREIGN KEY (`job_id`) REFERENCES `jobs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `artifact_inputs_job` ON `artifact_inputs` (`job_id`);--> statement-breakpoint
CREATE INDEX `artifact_inputs_artifact` ON `artifact_inputs` (`artifact_id`);--> statement-breakpoint
CREATE TABLE `artifacts` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`sha256` text NOT NULL,
	`mime_type` text NOT NULL,
	`size_bytes` integer NOT NULL,
	`width` integer,
	`height` integer,
	`job_id` integer,
	`created_at` integer NOT NULL,
	`last_used_at` integer NOT NULL,
	FOREIGN KEY (`job_id`) REFERENCES `jobs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `artifacts_content` ON `artifacts` (`sha256`);--> statement-breakpoint
CREATE INDEX `artifacts_job` ON `artifacts` (`job_id`) WHERE job_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `artifacts_last_used` ON `artifacts` (`last_used_at`);--> statement-breakpoint
CREATE TABLE `model_registrations` (
	`name` text PRIMARY KEY NOT NULL,
	`path` text NOT NULL,
	`task` text,
	`registered_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `retention` (
	`id` integer PRIMARY KEY NOT NULL,
	`deleted_sequence` integer NOT NULL
);
